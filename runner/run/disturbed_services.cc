#include "runner/run/disturbed_services.h"

namespace assay::run {

using assay::plan::v1::Plan;
using assay::plan::v1::Step;

namespace {

using Steps = google::protobuf::RepeatedPtrField<Step>;

void Collect(const Steps& steps, std::set<std::string>& targets) {
  for (const Step& step : steps) {
    if (step.has_burst()) Collect(step.burst().steps(), targets);
    if (!step.has_fault()) continue;
    const std::string& action = step.fault().action();
    if (action != "kill" && action != "pause") {
      targets.insert(step.fault().target());
    }
  }
}

}  // namespace

std::set<std::string> DisturbedServices(const Plan& plan) {
  std::set<std::string> targets;
  for (const auto& check : plan.checks()) Collect(check.steps(), targets);
  for (const auto& [name, flow] : plan.flows()) Collect(flow.steps(), targets);
  std::set<std::string> services;
  for (const auto& service : plan.services()) {
    if (targets.contains(service.name())) services.insert(service.name());
  }
  return services;
}

}  // namespace assay::run
