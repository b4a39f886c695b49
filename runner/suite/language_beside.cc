// The table's rows for what stands beside a service.

#include "runner/suite/language_objects.h"
#include "runner/suite/shapes.h"

namespace assay::suite {
namespace {

using namespace shapes;  // NOLINT(google-build-using-namespace)

const Object& ReplyObject() {
  static const Object kObject = {
      "a reply",
      "What an upstream answers to one request. Values hold templates that "
      "need no step: secrets, ports, generated values.",
      {
          {"status", {Integer(200, 599)}, false, "Of the answer.", "200"},
          {"headers", {Map(Template())}, false, "By name."},
          {"json", {Json()}, false, "The body, as JSON."},
          {"text", {Template()}, false, "The body, as it is."},
          {"delay", {Duration()}, false, "Before the answer.", "0s"},
      },
      "{ status: 201, json: { id: c1 }, delay: 200ms }",
      {{{"json", "text"}}}};
  return kObject;
}

}  // namespace

const Object& SidecarObject() {
  static const Object kObject = {
      "a sidecar",
      "A server beside the service, fresh for each run, in a cell of its own.",
      {
          {"kind", {Choice({"postgres", "redis"})}, true, "Which server."},
          {"version",
           {Integer(1, 99)},
           false,
           "Major version; the newest installed by default."},
          {"seed",
           {File(), List(File())},
           false,
           "SQL files, applied in order before the service starts."},
          {"reset",
           {Choice({"per-run", "per-check"})},
           false,
           "When its contents go back to what they were as the service became "
           "ready.",
           "per-run"},
          {"tapped",
           {Bool()},
           false,
           "Whether its traffic is read for traces.",
           "true"},
          {"port",
           {Integer(1024, 65535)},
           false,
           "Where the service reaches it; 5432 for PostgreSQL, 6379 for Redis. "
           "Two of a kind need two ports."},
      },
      "sidecars:\n"
      "  db: { kind: postgres, version: 15, seed: [sql/schema.sql], reset: "
      "per-check }\n"
      "  cache: { kind: redis }"};
  return kObject;
}

const Object& UpstreamObject() {
  static const Object kObject = {
      "an upstream",
      "An HTTP service that the candidate's service calls, played by the "
      "runner.",
      {
          {"port",
           {Integer(1024, 65535)},
           false,
           "Where the service reaches it.",
           "8180"},
          {"routes",
           {Map({Of(ReplyObject), List(Of(ReplyObject), 1)})},
           true,
           "Replies by `METHOD /path`; a `*` stands for one segment. Of a list "
           "of replies each is given once, the last one again and again."},
      },
      "upstreams:\n"
      "  payments: { routes: { \"POST /charge\": { status: 201, json: { id: "
      "c1 } } } }"};
  return kObject;
}

}  // namespace assay::suite
