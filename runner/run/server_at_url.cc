#include "runner/run/server_at_url.h"

#include <utility>

#include "runner/suite/local_url.h"

namespace assay::run {

namespace {

using assay::plan::v1::Plan;
using assay::plan::v1::Step;

const Step* FindIn(const Plan& plan,
                   const google::protobuf::RepeatedPtrField<Step>& steps) {
  for (const Step& step : steps) {
    const Step* found = nullptr;
    switch (step.verb_case()) {
      case Step::kHttp:
      case Step::kStream:
      case Step::kGrpc:
      case Step::kWait:
        break;
      case Step::kLoad:
        if (step.load().has_calibration()) found = &step;
        break;
      case Step::kMetrics:
        if (step.metrics().source() == "otlp") found = &step;
        break;
      case Step::kBurst:
        found = FindIn(plan, step.burst().steps());
        break;
      case Step::kUse:
        // Flows do not go round in circles: the compiler has seen to it.
        if (const auto flow = plan.flows().find(step.use().flow());
            flow != plan.flows().end()) {
          found = FindIn(plan, flow->second.steps());
        }
        break;
      default:
        found = &step;
    }
    if (found != nullptr) return found;
  }
  return nullptr;
}

}  // namespace

const Step* FindStepInNeedOfCells(const Plan& plan,
                                  const assay::plan::v1::Check& check) {
  return FindIn(plan, check.steps());
}

Expected<std::unique_ptr<ServerAtUrl>> ServerAtUrl::Make(
    boost::asio::any_io_executor executor, const std::string& url) {
  ASSAY_ASSIGN_OR_RETURN(const std::uint16_t port, suite::PortOfUrl(url));
  return std::unique_ptr<ServerAtUrl>(
      new ServerAtUrl(std::move(executor), port));
}

}  // namespace assay::run
