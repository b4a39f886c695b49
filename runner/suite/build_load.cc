#include "runner/suite/builder.h"
#include "runner/suite/units.h"

namespace assay::suite {
namespace {

using std::chrono::seconds;

bool IsFraction(const std::string& metric) {
  return metric == "errors" || metric == "achieved";
}

}  // namespace

void Builder::Load(const Node& node, plan::v1::LoadStep& out) {
  if (const Node* rate = Get(node, "rate")) {
    out.set_rate(ParseRate(rate->text).value_or(1));
  }
  out.set_arrivals(Text(node, "arrivals"));
  if (out.arrivals().empty()) out.set_arrivals("constant");
  *out.mutable_warmup() = ToProto(Time(node, "warmup", seconds(0)));
  *out.mutable_duration() = ToProto(Time(node, "for", seconds(1)));
  out.set_connections(
      static_cast<std::int32_t>(Integer(node, "connections", 64)));
  const auto add = [&](const Node* request, double weight) {
    if (request == nullptr || !validator_.Good(*request)) return;
    plan::v1::Step step;
    names_->inner.push_back(StepOf(*request, step));
    plan::v1::WeightedRequest& entry = *out.add_mix();
    entry.set_weight(weight);
    *entry.mutable_request() = std::move(*step.mutable_http());
  };
  if (Get(node, "request") != nullptr) add(Get(node, "request"), 1);
  if (const Node* mix = Get(node, "mix")) {
    for (const auto& item : mix->items) {
      add(Get(*item, "request"), Number(*item, "weight", 1));
    }
  }
  if (const Node* expect = Get(node, "expect")) {
    NamedOf(*expect, *out.mutable_expect());
  }
  if (const Node* valid = Get(node, "valid_if")) {
    NamedOf(*valid, *out.mutable_valid_if());
  }
  LoadPartial(node, out);
  if (const Node* calibrate = Get(node, "calibrate")) {
    LoadCalibration(*calibrate, *out.mutable_calibration());
  }
}

// What stands before a calibrated load is done to the reference, too.
void Builder::CalibratedLoads(const Steps& steps, bool in_check) {
  const auto refuse = [&](const plan::v1::Step& step, const std::string& why) {
    const auto& at = step.load().calibration().position();
    report_.Error({at.file().empty() ? plan_.source_name() : at.file(),
                   at.line(), at.column()},
                  "calibrate: " + why);
  };
  std::string disturbed;
  for (const plan::v1::Step& step : steps) {
    for (const plan::v1::Step& inner : step.burst().steps()) {
      if (inner.load().has_calibration()) {
        refuse(inner, "a burst has no reference of its own");
      }
    }
    if (step.has_fault() || step.has_heal() || step.has_restart()) {
      disturbed = step.title();
    }
    if (!step.load().has_calibration()) continue;
    if (!in_check) {
      refuse(step, "only a load among a check's own steps is calibrated");
    } else if (!disturbed.empty()) {
      refuse(step, "the reference is measured undisturbed; move \"" +
                       disturbed + "\" behind the load");
    }
  }
}

void Builder::LoadCalibration(const Node& node,
                              plan::v1::LoadStep::Calibration& out) {
  if (plan_.services_size() == 0) {
    report_.Error(node.at,
                  "calibrate: a reference stands in for the service, and the "
                  "suite has none");
  }
  std::string folder = Text(node, "reference");
  AddFolder(folder);
  if (!folder.empty() && !folder.ends_with("/")) folder += "/";
  out.set_reference(folder);
  out.set_metric(Text(node, "metric"));
  if (out.metric().empty()) out.set_metric("p50");
  out.set_at(static_cast<double>(Time(node, "at", seconds(0)).count()) / 1000);
  *out.mutable_position() = At(node.at);
}

void Builder::NamedOf(const Node& map, NamedList& out) {
  for (const Node::Entry& entry : map.entries) {
    if (!validator_.Good(*entry.value)) continue;
    plan::v1::Named& named = *out.Add();
    named.set_name(entry.key);
    *named.mutable_expectation() =
        Expect(*entry.value,
               IsFraction(entry.key) ? Subject::kFraction : Subject::kDuration);
    *named.mutable_position() = At(entry.key_at);
  }
}

void Builder::LoadPartial(const Node& load, plan::v1::LoadStep& out) {
  const Node* partial = Get(load, "partial");
  if (partial == nullptr || partial->kind != Node::Kind::kMap) return;
  out.set_partial_metric(Text(*partial, "metric"));
  const bool fraction = IsFraction(out.partial_metric());
  const auto value = [&](std::string_view key) -> double {
    const Node* node = Get(*partial, key);
    if (node == nullptr) return 0;
    if (fraction) {
      const auto share = ParsePercentage(node->text);
      if (share) return *share;
    } else if (const auto time = ParseDuration(node->text)) {
      return static_cast<double>(time->count()) / 1000;
    }
    report_.Error(node->at, std::string(key) + ": " + out.partial_metric() +
                                " is " +
                                (fraction ? "a percentage" : "a duration") +
                                ", found " + Describe(*node));
    return 0;
  };
  out.set_partial_full(value("full"));
  out.set_partial_zero(value("zero"));
  // Of everything but what was achieved, less is better.
  const bool falls = out.partial_metric() == "achieved"
                         ? out.partial_zero() < out.partial_full()
                         : out.partial_full() < out.partial_zero();
  if (!falls && Get(*partial, "full") != nullptr &&
      Get(*partial, "zero") != nullptr && report_.ok()) {
    report_.Error(partial->at,
                  "partial: \"full\" has to be better than \"zero\"");
  }
}

}  // namespace assay::suite
