// The table's rows for steps that send many requests.

#include "runner/suite/language_objects.h"
#include "runner/suite/shapes.h"

namespace assay::suite {
namespace {

using namespace shapes;  // NOLINT(google-build-using-namespace)

const Object& BurstExpectObject() {
  static const Object kObject = {
      "what a burst expects",
      "Of all answers together.",
      {
          {"statuses",
           {Map(Integer(0, 10'000))},
           false,
           "How many answers had each status (`201`, `4xx`); others none."},
          {"distinct",
           {JsonPathText()},
           false,
           "Differs between all answers that have it."},
          {"within", {Timeout()}, false, "Time from release to last answer."},
      },
      "expect: { statuses: { 201: 10, 409: 40 } }"};
  return kObject;
}

const Object& BurstObject() {
  static const Object kObject = {
      "a burst",
      "Requests released together, over connections opened beforehand.",
      {
          {"times", {Integer(1, 10'000)}, true, "How many in all."},
          {"at_once",
           {Integer(1, 1000)},
           false,
           "How many together; `times` by default."},
          {"request", {HttpStep()}, false, "What each of them does."},
          {"steps",
           {List(Step(), 1, 20)},
           false,
           "Instead of `request`: several steps each."},
          {"expect", {Of(BurstExpectObject)}, false, "What must hold."},
      },
      "",
      {{{"request", "steps"}, true}}};
  return kObject;
}

const Object& WeightedObject() {
  static const Object kObject = {
      "an entry of a mix",
      "A request and how often it is chosen.",
      {
          {"weight",
           {Number(0.001, 1'000'000)},
           false,
           "Against the others.",
           "1"},
          {"request", {HttpStep()}, true, "What is sent."},
      }};
  return kObject;
}

const Object& LoadExpectObject() {
  static const Object kObject = {
      "what a load expects",
      "Latencies count from the planned send.",
      {
          {"p50", {Expect(Subject::kDuration)}, false, "Median latency."},
          {"p90", {Expect(Subject::kDuration)}, false, "90th percentile."},
          {"p95", {Expect(Subject::kDuration)}, false, "95th percentile."},
          {"p99", {Expect(Subject::kDuration)}, false, "99th percentile."},
          {"p999", {Expect(Subject::kDuration)}, false, "99.9th percentile."},
          {"max", {Expect(Subject::kDuration)}, false, "Slowest answer."},
          {"errors",
           {Expect(Subject::kFraction)},
           false,
           "Share of requests without an answer, or with a 5xx."},
          {"achieved",
           {Expect(Subject::kFraction)},
           false,
           "Share of the planned requests that were answered."},
      }};
  return kObject;
}

const Object& ValidIfObject() {
  static const Object kObject = {
      "valid_if",
      "A measurement that breaks this is inconclusive and run again.",
      {
          {"client_lateness_p99",
           {Expect(Subject::kDuration)},
           false,
           "How late the runner sent."},
          {"host_stall_max",
           {Expect(Subject::kDuration)},
           false,
           "Longest time that the machine stood still."},
      }};
  return kObject;
}

const Object& PartialObject() {
  static const Object kObject = {
      "partial credit",
      "Points fall in a straight line from `full` to `zero`.",
      {
          {"metric",
           {Choice({"p50", "p90", "p95", "p99", "p999", "max", "errors",
                    "achieved"})},
           true,
           "Which figure."},
          {"full", {Duration(), Percentage()}, true, "All points up to here."},
          {"zero", {Duration(), Percentage()}, true, "None from here on."},
      }};
  return kObject;
}

const Object& CalibrateObject() {
  static const Object kObject = {
      "a calibration",
      "The same load on the reference solution first, on the same machine. "
      "Where that takes twice as long as it did for the author, so may "
      "everything else: a score means the same on slow and fast machines.",
      {
          {"reference",
           {Folder()},
           true,
           "Folder of the suite with a sound service."},
          {"metric",
           {Choice({"p50", "p90", "p95", "p99", "p999", "max"})},
           false,
           "Which of its figures is compared; the lower, the steadier.",
           "p50"},
          {"at",
           {Timeout()},
           true,
           "What it was on the author's machine; each load says it."},
      },
      "calibrate: { reference: reference/, at: 3ms }"};
  return kObject;
}

const Object& LoadObject() {
  static const Object kObject = {
      "a load",
      "Open loop: requests are sent when they are due, whatever the answers.",
      {
          {"rate", {Rate()}, true, "Planned requests: `200/s`."},
          {"arrivals",
           {Choice({"constant", "poisson"})},
           false,
           "How they are spread.",
           "constant"},
          {"warmup", {Duration()}, false, "Sent, not counted.", "0s"},
          {"for", {Timeout()}, true, "How long."},
          {"connections",
           {Integer(1, 10'000)},
           false,
           "Opened beforehand.",
           "64"},
          {"request", {HttpStep()}, false, "What is sent."},
          {"mix",
           {List(Of(WeightedObject), 1, 50)},
           false,
           "Instead of `request`: several, by weight."},
          {"expect", {Of(LoadExpectObject)}, false, "What must hold."},
          {"partial", {Of(PartialObject)}, false, "Partial credit."},
          {"valid_if",
           {Of(ValidIfObject)},
           false,
           "When the measurement counts."},
          {"calibrate",
           {Of(CalibrateObject)},
           false,
           "Judges latencies by what the reference solution needs here; only "
           "in a check's own steps."},
      },
      "",
      {{{"request", "mix"}, true}}};
  return kObject;
}

}  // namespace

const Object& LoadStepObject() {
  static const Object kObject = {
      "a load step", "Measures the service under a planned load.",
      StepKeys({{"load", {Of(LoadObject)}, true, "The load."}}, false),
      "- load:\n"
      "    rate: 200/s\n"
      "    for: 20s\n"
      "    request: { get: /orders }\n"
      "    expect: { p99: { lte: 80ms }, errors: { lte: 0.1% } }"};
  return kObject;
}

const Object& BurstStepObject() {
  static const Object kObject = {
      "a burst step", "Finds the races that tests one after another never see.",
      StepKeys({{"burst", {Of(BurstObject)}, true, "The burst."}}, false),
      "- burst:\n"
      "    times: 50\n"
      "    request: { post: /orders, json: { sku: RARE-1 } }\n"
      "    expect: { statuses: { 201: 10, 409: 40 } }"};
  return kObject;
}

}  // namespace assay::suite
