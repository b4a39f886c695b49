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

const Object& TrafficObject() {
  static const Object kObject = {
      "traffic",
      "Requests that are under way while the process is killed; those that it "
      "takes along are nobody's fault, those that it has acknowledged count.",
      {
          {"times", {Integer(2, 10'000)}, true, "How many in all."},
          {"at_once", {Integer(1, 100)}, false, "How many together.", "4"},
          {"acknowledged",
           {Integer(1, 10'000)},
           false,
           "Answers with 2xx after which it is killed; a third of `times` by "
           "default."},
          {"request", {HttpStep()}, true, "What each of them does."},
      },
      "traffic: { times: 60, request: { post: /orders, json: { sku: A-1 } } }"};
  return kObject;
}

const Object& HistoryObject() {
  static const Object kObject = {
      "a history",
      "Every write that was acknowledged is there afterwards, and nothing "
      "twice.",
      {
          {"id",
           {JsonPathText()},
           true,
           "What identifies a write, in its answer."},
          {"sql",
           {Text()},
           false,
           "Statement whose first column are the ids that are there."},
          {"target",
           {Name()},
           false,
           "Which sidecar; needed when there are several."},
          {"request", {HttpStep()}, false, "Instead: a request for them."},
          {"ids", {JsonPathText()}, false, "The ids in its answer."},
      },
      "history: { id: $.id, sql: select id from orders }",
      {{{"sql", "request"}, true}}};
  return kObject;
}

}  // namespace

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
      StepKeys(
          {
              {"restart", {Name()}, true, "`service`, or a process's name."},
              {"traffic",
               {Of(TrafficObject)},
               false,
               "It is killed in the middle of this."},
              {"history",
               {Of(HistoryObject)},
               false,
               "What must be there afterwards."},
          },
          false),
      "- restart: service\n"
      "  traffic: { times: 60, request: { post: /orders, json: { sku: A-1 } } "
      "}\n"
      "  history: { id: $.id, sql: select id from orders }"};
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
