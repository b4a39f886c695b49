// The table's rows for HTTP-like steps and for what is expected of answers.

#include "runner/suite/language_objects.h"
#include "runner/suite/shapes.h"

namespace assay::suite {
namespace {

using namespace shapes;  // NOLINT(google-build-using-namespace)

const Object& BasicObject() {
  static const Object kObject = {
      "user and password",
      "Of basic and digest authentication.",
      {
          {"user", {Template()}, true, "User."},
          {"password", {Template()}, true, "Password."},
      }};
  return kObject;
}

Key CaptureKey() {
  return {"capture",
          {Map({JsonPathText(), Of(CaptureObject)})},
          false,
          "Values to remember, by name; a scalar is a JSONPath."};
}

const Object& StopOnObject() {
  static const Object kObject = {
      "stop_on",
      "What ends the polling with a failure at once.",
      {{"status", {Expect(Subject::kStatus)}, true, "Such a status."}}};
  return kObject;
}

const Object& GrpcExpectObject() {
  static const Object kObject = {
      "what a gRPC step expects",
      "Of the call's end and of its messages.",
      {
          {"status",
           {Choice({"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT",
                    "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
                    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
                    "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
                    "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
                    "UNAUTHENTICATED"})},
           false,
           "Name of a gRPC code.",
           "OK"},
          {"json",
           {Queries()},
           false,
           "Of the reply, in protobuf's JSON form; of a stream: the list of "
           "its messages."},
          {"within", {Timeout()}, false, "Time for the whole call."},
      }};
  return kObject;
}

const Object& ExchangeObject() {
  static const Object kObject = {
      "an exchange",
      "One thing that happens on or beside a connection.",
      {
          {"send", {Template()}, false, "Sends a text message."},
          {"json", {Json()}, false, "Sends a JSON message."},
          {"request",
           {HttpStep()},
           false,
           "Makes an HTTP request beside the connection."},
          {"expect",
           {Of(HttpExpectObject)},
           false,
           "Waits for a message that is as described; others are passed over."},
          {"close",
           {Integer(1000, 4999)},
           false,
           "Waits for the service to close with this code."},
          {"event",
           {Text()},
           false,
           "Only with `expect`, of `events`: the name that the event has."},
          CaptureKey(),
      },
      "exchange:\n"
      "  - { expect: { json: { $.type: welcome } }, capture: { id: $.id } }",
      {{{"send", "json", "request", "expect", "close"}, true}}};
  return kObject;
}

}  // namespace

std::vector<Key> StepKeys(std::vector<Key> own, bool repeatable) {
  own.push_back({"title", {Text()}, false, "Shown in results."});
  own.push_back({"timeout", {Timeout()}, false, "`limits.step` by default."});
  if (repeatable) {
    own.push_back({"eventually",
                   {Of(EventuallyObject)},
                   false,
                   "Repeats the step until it holds."});
  }
  return own;
}

const Object& EventuallyObject() {
  static const Object kObject = {
      "eventually",
      "Re-runs its step until it holds; each try is a span of its own.",
      {
          {"within", {Timeout()}, true, "Time for all tries."},
          {"every", {Timeout()}, false, "Pause between tries.", "200ms"},
          {"stop_on",
           {Of(StopOnObject)},
           false,
           "What ends the polling with a failure at once."},
      },
      "eventually: { within: 10s, every: 250ms, stop_on: { status: [401, 5xx] "
      "} }"};
  return kObject;
}

const Object& AuthObject() {
  static const Object kObject = {
      "auth",
      "Exactly one way to authenticate.",
      {
          {"bearer", {Template()}, false, "Authorization: Bearer."},
          {"basic", {Of(BasicObject)}, false, "Basic authentication."},
          {"digest", {Of(BasicObject)}, false, "Digest authentication."},
      },
      "auth: { bearer: \"{{token}}\" }",
      {{{"bearer", "basic", "digest"}, true}}};
  return kObject;
}

const Object& CaptureObject() {
  static const Object kObject = {
      "a capture",
      "Where a remembered value comes from: exactly one source.",
      {
          {"jsonpath",
           {JsonPathText()},
           false,
           "A singular JSONPath over the body."},
          {"header", {Text()}, false, "A header's value."},
          {"cookie", {Text()}, false, "A cookie that the answer sets."},
          {"regex", {Regex()}, false, "First group of an RE2 pattern."},
          {"status", {Bool()}, false, "The status, if `true`."},
          {"body", {Bool()}, false, "The whole body, if `true`."},
          {"secret",
           {Bool()},
           false,
           "Redacted from everything that leaves the run.",
           "false"},
      },
      "capture: { token: { jsonpath: $.access_token, secret: true } }",
      {{{"jsonpath", "header", "cookie", "regex", "status", "body"}, true}}};
  return kObject;
}

const Object& HttpExpectObject() {
  static const Object kObject = {
      "what an HTTP step expects",
      "Everything named here must hold.",
      {
          {"status",
           {Expect(Subject::kStatus)},
           false,
           "A status (`201`), a class (`2xx`), a list of them, or matchers."},
          {"headers",
           {Map(Expect(Subject::kText))},
           false,
           "By name, whatever its case."},
          {"json",
           {Queries()},
           false,
           "By JSONPath (RFC 9535). A query that can yield several nodes takes "
           "only `count`, `any`, `all`, `contains` and `exists`."},
          {"schema", {File()}, false, "A JSON Schema, draft 7."},
          {"body", {Expect(Subject::kText)}, false, "The body as text."},
          {"xml",
           {Map(Expect(Subject::kText))},
           false,
           "By XPath 1.0, over an XML body."},
          {"within", {Timeout()}, false, "Time from sending to the last byte."},
      },
      "expect:\n"
      "  status: 201\n"
      "  headers: { location: { matches: ^/orders/ } }\n"
      "  json: { $.status: created, \"$.lines[*]\": { count: 1 } }"};
  return kObject;
}

const Object& HttpStepObject() {
  static const Object kObject = [] {
    Object object = {
        "an HTTP step",
        "Sends one request to the service. The verb's value is the path.",
        {},
        "- post: /orders\n"
        "  auth: { bearer: \"{{token}}\" }\n"
        "  json: { sku: A-1, qty: 2 }\n"
        "  expect: { status: 201 }\n"
        "  capture: { order_id: $.id }",
        {{{"json", "text", "file", "form", "multipart"}, false}}};
    for (const char* verb :
         {"get", "post", "put", "patch", "delete", "head", "options"}) {
      object.keys.push_back({verb, {Path()}, false, "Path and query."});
    }
    object.keys.push_back(
        {"request", {Path()}, false, "Path and query, with any `method`."});
    std::vector<Key> rest = {
        {"method", {Text()}, false, "Only with `request`."},
        {"service", {Name()}, false, "Which process; the first by default."},
        {"port", {Name()}, false, "A named port; the main one by default."},
        {"query",
         {Map({Template(), List(Template())})},
         false,
         "Added to the path, encoded."},
        {"headers",
         {Map({Template(), List(Template())})},
         false,
         "Request headers. An answer that `accept-encoding` asked for (gzip, "
         "deflate, br, zstd) is decoded."},
        {"auth", {Of(AuthObject)}, false, "Authentication."},
        {"json",
         {Json()},
         false,
         "Body as JSON; sets `content-type: application/json`."},
        {"text", {Template()}, false, "Body as text."},
        {"file", {File()}, false, "Body from a file of the suite."},
        {"form", {Map(Template())}, false, "Body as an HTML form."},
        {"multipart",
         {Map(Template())},
         false,
         "Body as multipart/form-data; `@path` sends a file of the suite."},
        {"cookies",
         {Bool()},
         false,
         "Keeps cookies between the steps of the check.",
         "false"},
        {"redirects",
         {Integer(0, 20)},
         false,
         "How many redirects to follow, never to another host.",
         "0"},
        {"http", {Choice({"1.1", "2"})}, false, "Version of HTTP.", "1.1"},
        {"expect", {Of(HttpExpectObject)}, false, "What must hold."},
        CaptureKey(),
    };
    for (Key& key : StepKeys(std::move(rest), true)) {
      object.keys.push_back(std::move(key));
    }
    return object;
  }();
  return kObject;
}

const Object& GraphqlStepObject() {
  static const Object kObject = {
      "a GraphQL step", "Posts a query as JSON: short for an HTTP step.",
      StepKeys(
          {
              {"graphql", {Text()}, true, "The query or mutation."},
              {"variables", {Json()}, false, "Its variables."},
              {"path", {Path()}, false, "Where to post.", "/graphql"},
              {"service", {Name()}, false, "Which process."},
              {"headers",
               {Map({Template(), List(Template())})},
               false,
               "Request headers."},
              {"auth", {Of(AuthObject)}, false, "Authentication."},
              {"expect", {Of(HttpExpectObject)}, false, "What must hold."},
              CaptureKey(),
          },
          true),
      "- graphql: \"query ($id: ID!) { order(id: $id) { status } }\"\n"
      "  variables: { id: \"{{order_id}}\" }\n"
      "  expect: { json: { $.data.order.status: created } }"};
  return kObject;
}

namespace {

// Keys of both kinds of connection, the verb's own first.
std::vector<Key> StreamKeys(std::string verb) {
  return StepKeys(
      {
          {std::move(verb), {Path()}, true, "Path and query."},
          {"service", {Name()}, false, "Which process."},
          {"port", {Name()}, false, "A named port; the main one by default."},
          {"headers",
           {Map({Template(), List(Template())})},
           false,
           "Request headers."},
          {"auth", {Of(AuthObject)}, false, "Authentication."},
          {"exchange",
           {List(Of(ExchangeObject), 1, 1000)},
           true,
           "What happens, in order."},
      },
      true);
}

}  // namespace

const Object& WebsocketStepObject() {
  static const Object kObject = {
      "a WebSocket step", "Opens a connection and exchanges messages.",
      StreamKeys("websocket"),
      "- websocket: /ws\n"
      "  exchange:\n"
      "    - { json: { subscribe: orders } }\n"
      "    - request: { post: /orders, json: { sku: A-1 } }\n"
      "    - { expect: { json: { $.type: created } } }"};
  return kObject;
}

const Object& EventsStepObject() {
  static const Object kObject = {
      "an events step", "Reads server-sent events.", StreamKeys("events"),
      "- events: /orders/events\n"
      "  exchange:\n"
      "    - request: { post: /orders, json: { sku: A-1 } }\n"
      "    - { event: created, expect: { json: { $.sku: A-1 } } }"};
  return kObject;
}

const Object& GrpcStepObject() {
  static const Object kObject = {
      "a gRPC step",
      "Calls one method, by reflection or by a `.proto` of the suite.",
      StepKeys(
          {
              {"grpc", {Text()}, true, "`package.Service/Method`."},
              {"service", {Name()}, false, "Which process."},
              {"port", {Name()}, false, "A named port."},
              {"proto", {File()}, false, "Without it: server reflection."},
              {"metadata", {Map(Template())}, false, "Sent with the call."},
              {"json",
               {Json()},
               false,
               "The request in protobuf's JSON form; a list for a stream."},
              {"expect", {Of(GrpcExpectObject)}, false, "What must hold."},
              CaptureKey(),
          },
          true),
      "- grpc: orders.v1.Orders/Get\n"
      "  json: { id: \"{{order_id}}\" }\n"
      "  expect: { json: { $.status: CREATED } }"};
  return kObject;
}

}  // namespace assay::suite
