#ifndef ASSAY_TESTS_RUNNER_SUITE_WRONG_SUITES_H_
#define ASSAY_TESTS_RUNNER_SUITE_WRONG_SUITES_H_

#include <string>
#include <vector>

#include "runner/suite/compiler.h"

// Suites with one part that a test writes, and what is said of them.
namespace assay::suite {

inline Files FilesWith(const std::string& suite) {
  return {{"assay.yaml", suite},
          {"schemas/order.json", "{\"type\":\"object\"}"},
          {"schemas/broken.json", "{\"type\":"},
          {"schemas/lost.json", "{\"$ref\":\"nowhere.json\"}"},
          {"sql/seed.sql", "select 1;"},
          {"hidden.yaml",
           "visibility: hidden\nchecks:\n  - { id: h, title: t, points: 1, "
           "steps: [ { get: / } ] }\n"}};
}

inline std::vector<std::string> Said(const std::string& suite) {
  const auto compiled = Compile(FilesWith(suite));
  std::vector<std::string> said;
  if (compiled) return said;
  for (const Diagnostic& diagnostic : compiled.error()) {
    said.push_back(std::to_string(diagnostic.line) + ":" +
                   std::to_string(diagnostic.column) + ": " +
                   diagnostic.message);
  }
  return said;
}

// Steps stand in line 8, from column 9 on.
inline std::string WithStep(const std::string& step) {
  return "version: 1\n"
         "name: x\n"
         "service: { start: ./run }\n"
         "sidecars: { db: { kind: postgres }, cache: { kind: redis } }\n"
         "flows: { login: [ { post: /login, capture: { token: $.token } } ] }\n"
         "checks:\n"
         "  - { id: a, title: t, points: 1, visibility: public, steps: [\n"
         "      " +
         step +
         "\n"
         "    ] }\n";
}

// The part stands at the top, from line 4 on.
inline std::string WithPart(const std::string& part) {
  return "version: 1\n"
         "name: x\n"
         "service: { start: ./run }\n" +
         part +
         "\n"
         "checks:\n"
         "  - { id: a, title: t, points: 1, visibility: public, steps: [ { "
         "get: "
         "/ } ] }\n";
}

// The check's keys stand in line 5.
inline std::string WithCheck(const std::string& keys) {
  return "version: 1\n"
         "name: x\n"
         "service: { start: ./run }\n"
         "checks:\n"
         "  - { " +
         keys + " }\n";
}

}  // namespace assay::suite

#endif  // ASSAY_TESTS_RUNNER_SUITE_WRONG_SUITES_H_
