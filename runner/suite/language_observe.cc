// The table's rows for steps that look at what the service did.

#include "runner/suite/language_objects.h"
#include "runner/suite/shapes.h"

namespace assay::suite {
namespace {

using namespace shapes;  // NOLINT(google-build-using-namespace)

const Object& ScansObject() {
  static const Object kObject = {
      "an assertion about sequential scans",
      "By EXPLAIN of the statements that taps saw, on the sidecar itself.",
      {
          {"over",
           {Integer(1, 1'000'000'000)},
           false,
           "Rows that a table may have and still be read from end to end.",
           "10000"},
          {"enforce",
           {Bool()},
           false,
           "A scan fails the step. Else it is advice, shown beside the result.",
           "false"},
      }};
  return kObject;
}

const Object& TraceObject() {
  static const Object kObject = {
      "a trace assertion",
      "Over the spans of the run so far.",
      {
          {"per",
           {Choice({"request", "check", "run"})},
           false,
           "What is looked at one by one.",
           "request"},
          {"of",
           {Choice({"last", "first", "all", "any"})},
           false,
           "Which of them.",
           "last"},
          {"source",
           {Choice({"tap", "reported", "any"})},
           false,
           "Observed on a wire, or reported by the service.",
           "tap"},
          {"queries_per_request",
           {Expect(Subject::kNumber)},
           false,
           "Statements seen by taps: the N+1 check in one line."},
          {"sequential_scans",
           {Of(ScansObject)},
           false,
           "Statements that read a large table from end to end: advice, never "
           "the score unless asked."},
          {"span", {Expect(Subject::kText)}, false, "Name of the spans meant."},
          {"kind",
           {Choice({"internal", "server", "client", "producer", "consumer"})},
           false,
           "Kind of the spans meant."},
          {"below", {Text()}, false, "Only below a span of this name."},
          {"attrs",
           {Map(Expect(Subject::kValue))},
           false,
           "Attributes of the spans meant."},
          {"status",
           {Choice({"unset", "ok", "error"})},
           false,
           "Status of every such span."},
          {"count",
           {Expect(Subject::kNumber)},
           false,
           "How many such spans.",
           "at least one"},
          {"duration",
           {Expect(Subject::kDuration)},
           false,
           "Of every such span."},
          {"wait",
           {Duration()},
           false,
           "How long to wait for reported spans.",
           "2s"},
      }};
  return kObject;
}

const Object& ForbidObject() {
  static const Object kObject = {
      "forbid",
      "What may not be found.",
      {
          {"secrets",
           {Name(), List(Name())},
           false,
           "Values of these secrets and captures."},
          {"matches", {Regex(), List(Regex())}, false, "RE2 patterns."},
      }};
  return kObject;
}

const Object& RequireObject() {
  static const Object kObject = {
      "require",
      "What has to be found.",
      {{"matches", {Regex(), List(Regex())}, true, "RE2 patterns, each."}}};
  return kObject;
}

const Object& LogsObject() {
  static const Object kObject = {
      "a log assertion",
      "Over everything that the service wrote in this run so far.",
      {
          {"sources",
           {List(Choice({"stdout", "stderr", "otlp", "span-attributes"}), 1,
                 4)},
           false,
           "Where to look.",
           "all"},
          {"forbid", {Of(ForbidObject)}, false, "What may not be found."},
          {"require", {Of(RequireObject)}, false, "What has to be found."},
      }};
  return kObject;
}

const Object& MetricsObject() {
  static const Object kObject = {
      "a metrics assertion",
      "Of the service's own metrics.",
      {
          {"name", {Text()}, true, "Of the metric."},
          {"path", {Path()}, false, "Prometheus endpoint.", "/metrics"},
          {"source",
           {Choice({"prometheus", "otlp"})},
           false,
           "Where it comes from.",
           "prometheus"},
          {"labels", {Map(Template())}, false, "Labels that it must have."},
          {"value",
           {Expect(Subject::kNumber)},
           false,
           "Its value, summed over the series that match."},
      }};
  return kObject;
}

}  // namespace

const Object& TraceStepObject() {
  static const Object kObject = {
      "a trace step",
      "Asserts over spans, those that taps observed and those that the service "
      "reported told apart.",
      StepKeys({{"trace", {Of(TraceObject)}, true, "The assertion."}}, true),
      "- trace: { per: request, of: last, queries_per_request: { lte: 5 } }"};
  return kObject;
}

const Object& LogsStepObject() {
  static const Object kObject = {
      "a logs step", "Asserts over what the service wrote.",
      StepKeys({{"logs", {Of(LogsObject)}, true, "The assertion."}}, true),
      "- logs: { forbid: { secrets: [jwt] } }"};
  return kObject;
}

const Object& MetricsStepObject() {
  static const Object kObject = {
      "a metrics step", "Asserts over the service's own metrics.",
      StepKeys({{"metrics", {Of(MetricsObject)}, true, "The assertion."}},
               true)};
  return kObject;
}

}  // namespace assay::suite
