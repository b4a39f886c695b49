#ifndef ASSAY_RUNNER_SUITE_VALIDATOR_H_
#define ASSAY_RUNNER_SUITE_VALIDATOR_H_

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "runner/suite/compiler.h"
#include "runner/suite/language.h"
#include "runner/suite/report.h"
#include "runner/suite/yaml_tree.h"

namespace assay::suite {

// Holds a YAML tree against the language's table: keys, types, units, names of
// files, patterns, queries, the form of templates. What needs more than one
// place at a time is left to the plan builder.
//
// Ownership: borrows files and report.
class Validator {
 public:
  // `where` is what messages call the place of the files.
  Validator(const Files& files, Report& report,
            std::string_view where = "the suite's folder");

  void Check(const Node& node, const Object& object);

  // Whether nothing was wrong with this value by itself; a mapping with a bad
  // member is good.
  bool Good(const Node& node) const { return !bad_.contains(&node); }

 private:
  // Where a value stands, for messages: `within` in "within: expected ...".
  using Label = std::string_view;

  void CheckShapes(const Node& node, const std::vector<Shape>& shapes,
                   Label label);
  void CheckShape(const Node& node, const Shape& shape, Label label);
  // Empty: fine. Scalars only.
  std::string CheckScalar(const Node& node, const Shape& shape) const;
  std::string CheckText(const Node& node, const Shape& shape) const;
  std::string CheckQuantity(const Node& node, const Shape& shape) const;
  std::string CheckFile(std::string_view path, bool folder) const;
  void CheckGroups(const Node& node, const Object& object);
  void CheckStep(const Node& node, bool http_only);
  void CheckNames(const Node& map);
  void CheckJson(const Node& node);
  void CheckQueries(const Node& node);
  void CheckExpectation(const Node& node, Subject subject, Label label);
  void CheckMatcher(const Node::Entry& entry, Subject subject);
  void CheckOperand(const Node& node, Subject subject, Label label);
  void CheckOperands(const Node& list, Subject subject, Label label);

  void Bad(const Node& node, std::string message);
  void Bad(const Node& node, const Place& at, std::string message);

  const Files& files_;
  Report& report_;
  const std::string where_;
  std::unordered_set<const Node*> bad_;
};

// "a duration with its unit, like 80ms", for messages and the reference page.
std::string ShapeText(const Shape& shape);

// The verbs that stand in a step, in the order of the file.
std::vector<const Node::Entry*> VerbsOf(const Node& step);

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_VALIDATOR_H_
