// Answers are candidates': the first line says what is expected, in the suite's
// language; then a status, headers and a body.

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "runner/assertions/evaluator.h"
#include "runner/suite/compiler.h"
#include "runner/suite/json_text.h"

namespace {

using assay::plan::v1::Plan;

// Expectations that reach every matcher; the answer is what is fuzzed.
const Plan& ThePlan() {
  static const Plan kPlan = [] {
    const auto compiled = assay::suite::Compile(
        {{"assay.yaml", R"suite(
version: 1
name: x
service: { start: ./run }
sidecars: { db: { kind: postgres } }
checks:
  - id: a
    title: t
    points: 1
    visibility: public
    steps:
      - get: /
        expect:
          status: { in: [200, 5xx], not: 201, lt: 400 }
          headers: { x: { starts: a, ends: b, contains: c, matches: "a+b" } }
          body: { len: { gte: 3 }, contains: a }
          within: 1s
          schema: s.json
          xml: { "//a": b, "count(//a)": { ne: 3 } }
          json:
            $.a: { gt: 1, lt: 5, type: integer, in: [2, 3] }
            $.b: { all: { starts: x }, any: { len: 3 }, contains: xy }
            $.c: { contains: { d: 1 }, not: { exists: false } }
            "$..d": { count: { lte: 3 }, any: 1, all: { type: number } }
            "$[?match(@.e, @.f)]": { exists: true, contains: 1 }
        capture:
          a: $.a
          b: { regex: "x(.)y" }
          c: { cookie: sid }
          d: { header: x }
          e: { status: true }
          f: { body: true }
          g: { jsonpath: $.d }
      - sql: select 1
        expect:
          rows: [ [ 1, x ], [ null, true ] ]
          count: { gte: 1, lte: 2, ne: 3 }
          json: { "$[0].a": { gte: 1, lte: 9, eq: 2 }, "$[*].b": { exists: true } }
)suite"},
         {"s.json",
          R"({"type":"object","properties":{"a":{"minimum":1,"multipleOf":0.1},
              "b":{"items":{"pattern":"^[a-z]*$"},"uniqueItems":true},
              "c":{"$ref":"#"}},"additionalProperties":{"$ref":"#"},
              "patternProperties":{"^x":{"type":["string","null"],
                "minLength":1,"maxLength":3,"enum":["x","y",null]}},
              "propertyNames":{"maxLength":5},"maxProperties":9,
              "dependencies":{"b":["c"],"c":{"required":["b"]}},
              "allOf":[{"not":{"required":["z"]}}],
              "anyOf":[{"type":"object"},{"type":"array","minItems":1,
                "maxItems":3,"items":[{"type":"integer"}],
                "additionalItems":{"type":"number","maximum":9,
                "exclusiveMaximum":8,"exclusiveMinimum":0},
                "contains":{"const":1}}],
              "if":{"required":["d"]},"then":{"properties":{"d":{
                "format":"date-time"}}},"else":{"minProperties":1},
              "required":["a"],"oneOf":[{"minProperties":1},{"const":{}}]})"}});
    if (!compiled) std::abort();
    return compiled->plan;
  }();
  return kPlan;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(text.find('\n'), text.size());
  assay::assertions::HttpAnswer answer;
  answer.status = size == 0 ? 200 : data[0] * 3;
  answer.headers = {{"x", std::string(text.substr(0, line))},
                    {"set-cookie", std::string(text.substr(0, line))}};
  answer.body = text.substr(std::min(line + 1, text.size()));
  const assay::suite::Scope scope;
  assay::assertions::Schemas schemas(ThePlan());
  assay::assertions::Evaluator evaluator(scope, schemas);
  const auto& step = ThePlan().checks(0).steps(0).http();
  for (const auto& failure : evaluator.Http(step.expect(), answer)) {
    // What is shown is one bounded line, whatever the candidate sent.
    if (failure.sentence.size() > 500 ||
        failure.sentence.find('\n') != std::string::npos) {
      std::abort();
    }
  }
  for (const auto& capture : step.captures()) {
    (void)assay::assertions::TakeCapture(capture, answer);
  }
  // Of two columns, as the statement would have them.
  auto rows = assay::suite::ParseJson(answer.body);
  if (rows && rows->is_array() &&
      std::all_of(rows->begin(), rows->end(), [](const auto& row) {
        return row.is_array() && row.size() == 2;
      })) {
    (void)evaluator.Rows(ThePlan().checks(0).steps(1).sql(), {"a", "b"}, *rows);
  }
  return 0;
}
