#ifndef ASSAY_RUNNER_ASSERTIONS_MATCHING_H_
#define ASSAY_RUNNER_ASSERTIONS_MATCHING_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "assay/plan/v1/plan.pb.h"
#include "runner/suite/jsonpath.h"
#include "runner/suite/template.h"

namespace assay::assertions {

// Why a matcher does not hold, in the parts of a sentence.
struct Mismatch {
  // "to equal 2598".
  std::string expected;
  // "got 2600"; "but there is none".
  std::string actual;
  // A normalised path, where an element is to blame.
  std::string where;
  std::string diff;
  plan::v1::Position position;
};

// Operands are expanded against the scope. `value` may be null: absent.
struct Matching {
  using Matchers = google::protobuf::RepeatedPtrField<plan::v1::Matcher>;

  const suite::Scope& scope;
  // Operands are statuses, and may be classes: "5xx".
  bool status = false;

  // Null: all hold.
  std::optional<Mismatch> Value(const Matchers& matchers,
                                const nlohmann::json* value,
                                const std::string& where) const;
  std::optional<Mismatch> Nodes(
      const Matchers& matchers,
      const std::vector<suite::PathNode>& nodes) const;
};

// Lines of the smallest differences between two values, at most ten.
std::string Diff(const nlohmann::json& expected, const nlohmann::json& actual);

// Whether `value` has at least what `part` has: members of objects, elements
// at the same place of arrays, or the value itself.
bool Includes(const nlohmann::json& value, const nlohmann::json& part);

}  // namespace assay::assertions

#endif  // ASSAY_RUNNER_ASSERTIONS_MATCHING_H_
