// The table's rows for the steps that are not HTTP requests.

#include "runner/suite/language_objects.h"
#include "runner/suite/shapes.h"

namespace assay::suite {
namespace {

using namespace shapes;  // NOLINT(google-build-using-namespace)

Key CaptureKey() {
  return {"capture",
          {Map({JsonPathText(), Of(CaptureObject)})},
          false,
          "Values to remember, by name; a scalar is a JSONPath."};
}

const Object& SqlExpectObject() {
  static const Object kObject = {
      "what an SQL step expects",
      "Of the rows.",
      {
          {"rows",
           {List({Json(), List(Json())})},
           false,
           "All rows, in order, each a list of its columns."},
          {"count", {Expect(Subject::kNumber)}, false, "How many rows."},
          {"json",
           {Queries()},
           false,
           "By JSONPath, over the rows as a list of objects."},
      },
      "expect: { rows: [[created, 2598]] }"};
  return kObject;
}

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

const Object& FaultObject() {
  static const Object kObject = {
      "a fault",
      "Exactly one disturbance of a sidecar, the service, or a wire between "
      "them, until it is healed.",
      {
          {"target", {Name()}, true, "A sidecar, an upstream or a process."},
          {"kill",
           {Choice({"SIGKILL", "SIGTERM", "SIGINT", "SIGSEGV"})},
           false,
           "Ends its processes."},
          {"pause", {Bool()}, false, "Freezes it."},
          {"refuse", {Bool()}, false, "Refuses new connections."},
          {"latency", {Duration()}, false, "Delays every message."},
          {"jitter",
           {Duration()},
           false,
           "Delays by a random time up to this."},
          {"bandwidth", {Bandwidth()}, false, "Slows the wire down."},
          {"reset", {Bool()}, false, "Resets open connections."},
          {"cut_after", {Size()}, false, "Cuts a connection after so much."},
          {"error",
           {Json()},
           false,
           "Answers with this error: a status or an SQLSTATE."},
          {"for", {Timeout()}, false, "Heals by itself after this time."},
          {"direction",
           {Choice({"both", "request", "response"})},
           false,
           "Which way.",
           "both"},
      },
      "",
      {{{"kill", "pause", "refuse", "latency", "jitter", "bandwidth", "reset",
         "cut_after", "error"},
        true}}};
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
      },
      "",
      {{{"request", "mix"}, true}}};
  return kObject;
}

const Object& CommandExpectObject() {
  static const Object kObject = {
      "what a command expects",
      "Of its end.",
      {{"exit", {Expect(Subject::kNumber)}, false, "Exit code.", "0"}}};
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

const Object& VariantObject() {
  static const Object kObject = {
      "a variant",
      "A broken service that good tests catch.",
      {
          {"name", {Text()}, true, "What is broken, in a few words."},
          {"folder",
           {Folder()},
           true,
           "Folder of the suite with the files that differ from the "
           "reference."},
      }};
  return kObject;
}

const Object& MutantsObject() {
  static const Object kObject = {
      "mutants",
      "Grades how well a candidate tests.",
      {
          {"run",
           {Text()},
           true,
           "The candidate's tests, in their work "
           "directory."},
          {"env", {Map(Template())}, false, "Environment."},
          {"reference",
           {Folder()},
           true,
           "Folder of the suite with a sound service; the tests must pass."},
          {"variants",
           {List(Of(VariantObject), 1, 100)},
           true,
           "Broken services; each that is caught earns its share."},
          {"import", {Of(ImportObject)}, false, "Where the results are."},
      }};
  return kObject;
}

}  // namespace

const Object& ImportObject() {
  static const Object kObject = {
      "import",
      "Results of a test framework, shown as sub-results: exactly one format.",
      {
          {"junit", {Text()}, false, "JUnit XML: path or pattern."},
          {"tap", {Text()}, false, "TAP 13 or 14; `-`: standard output."},
          {"ctrf", {Text()}, false, "CTRF JSON."},
          {"gotest", {Text()}, false, "`go test -json`; `-`: standard output."},
          {"min_cases",
           {Integer(1, 100'000)},
           false,
           "Fewer mean that something did not run.",
           "1"},
      },
      "import: { junit: \"build/test-results/*.xml\", min_cases: 5 }",
      {{{"junit", "tap", "ctrf", "gotest"}, true}}};
  return kObject;
}

const Object& SqlStepObject() {
  static const Object kObject = {
      "an SQL step", "Runs one statement on a sidecar, read-only.",
      StepKeys(
          {
              {"sql", {Text()}, true, "The statement; `$1` is an argument."},
              {"target",
               {Name()},
               false,
               "Which sidecar; needed when there are several."},
              {"args", {List(Json())}, false, "Arguments."},
              {"expect", {Of(SqlExpectObject)}, false, "What must hold."},
              CaptureKey(),
          },
          true),
      "- sql: select status from orders where id = $1\n"
      "  target: db\n"
      "  args: [\"{{order_id}}\"]\n"
      "  expect: { rows: [[created]] }"};
  return kObject;
}

const Object& RedisStepObject() {
  static const Object kObject = {
      "a Redis step", "Sends one command to a sidecar.",
      StepKeys(
          {
              {"redis",
               {Template(), List(Template(), 1)},
               true,
               "Command and arguments; a scalar is split at spaces."},
              {"target",
               {Name()},
               false,
               "Which sidecar; needed when there are several."},
              {"expect", {Expect(Subject::kValue)}, false, "Of the reply."},
              CaptureKey(),
          },
          true),
      "- { redis: [GET, \"cart:{{user}}\"], expect: { exists: true } }"};
  return kObject;
}

const Object& UseStepObject() {
  static const Object kObject = {
      "a use step", "Runs a flow.",
      StepKeys(
          {
              {"use", {Name()}, true, "Name of the flow."},
              {"vars",
               {Map(Json())},
               false,
               "Values that the flow sees instead of the suite's."},
          },
          false),
      "- use: login\n  vars: { alice: mallory@example.test }"};
  return kObject;
}

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

const Object& FaultStepObject() {
  static const Object kObject = {
      "a fault step", "Disturbs something until it is healed.",
      StepKeys({{"fault", {Of(FaultObject)}, true, "The fault."}}, false),
      "- fault: { target: db, latency: 200ms, for: 5s }"};
  return kObject;
}

const Object& HealStepObject() {
  static const Object kObject = {
      "a heal step",
      "Ends all faults of a target and starts it again if it was killed.",
      StepKeys({{"heal", {Name()}, true, "The target."}}, false), "- heal: db"};
  return kObject;
}

const Object& RestartStepObject() {
  static const Object kObject = {
      "a restart step",
      "Sends SIGKILL to a process of the service and starts it again: crash "
      "consistency.",
      StepKeys({{"restart", {Name()}, true, "`service`, or a process's name."}},
               false),
      "- restart: service"};
  return kObject;
}

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

const Object& CommandStepObject() {
  static const Object kObject = {
      "a command step",
      "Runs a program in a cell of its own, wired to the service.",
      StepKeys(
          {
              {"command", {Text()}, true, "The command line."},
              {"in",
               {Choice({"repository", "suite"})},
               false,
               "`repository`: the candidate's work directory; what it reports "
               "is claimed and earns no points. `suite`: the author's own "
               "files.",
               "repository"},
              {"files",
               {List({File()})},
               false,
               "Files and folders (`tests/`) of the suite that its cell "
               "holds; only with `in: suite`."},
              {"repository",
               {Bool()},
               false,
               "The candidate's work directory is there, read-only, at "
               "`/repository`; only with `in: suite`. What the command runs of "
               "it can read the command's files.",
               "false"},
              {"env",
               {Map(Template())},
               false,
               "Environment, beside `SERVICE_URL`, the first service's."},
              {"directory", {Text()}, false, "Where it runs.", "."},
              {"import", {Of(ImportObject)}, false, "Results to show."},
              {"expect", {Of(CommandExpectObject)}, false, "Of its end."},
          },
          false),
      "- command: make test-junit\n"
      "  import: { junit: \"build/test-results/*.xml\", min_cases: 5 }"};
  return kObject;
}

const Object& MutantsStepObject() {
  static const Object kObject = {
      "a mutants step",
      "Runs the candidate's own tests against broken services.",
      StepKeys({{"mutants", {Of(MutantsObject)}, true, "What is run."}},
               false)};
  return kObject;
}

const Object& WaitStepObject() {
  static const Object kObject = {
      "a wait step", "Does nothing for a while. Prefer `eventually`.",
      StepKeys({{"wait", {Duration()}, true, "How long."}}, false),
      "- wait: 200ms"};
  return kObject;
}

}  // namespace assay::suite
