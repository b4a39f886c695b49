#ifndef ASSAY_RUNNER_SUITE_SHAPES_H_
#define ASSAY_RUNNER_SUITE_SHAPES_H_

#include "runner/suite/language.h"

// Short names for the table's cells.
namespace assay::suite::shapes {

inline Shape Text() { return {.type = Type::kText}; }
inline Shape Template() { return {.type = Type::kTemplate}; }
inline Shape Path() { return {.type = Type::kPath}; }
inline Shape Name() { return {.type = Type::kName}; }
inline Shape Id() { return {.type = Type::kId}; }
inline Shape Bool() { return {.type = Type::kBool}; }
inline Shape Integer(double least, double most) {
  return {.type = Type::kInteger, .least = least, .most = most};
}
inline Shape Number(double least, double most) {
  return {.type = Type::kNumber, .least = least, .most = most};
}
inline Shape Duration() { return {.type = Type::kDuration}; }
// Longer than nothing.
inline Shape Timeout() { return {.type = Type::kDuration, .least = 1}; }
inline Shape Size() { return {.type = Type::kSize}; }
inline Shape Bandwidth() { return {.type = Type::kBandwidth}; }
inline Shape Rate() { return {.type = Type::kRate}; }
inline Shape Percentage() { return {.type = Type::kPercentage}; }
inline Shape File() { return {.type = Type::kFile}; }
inline Shape Folder() { return {.type = Type::kFolder}; }
inline Shape Regex() { return {.type = Type::kRegex}; }
inline Shape JsonPathText() { return {.type = Type::kJsonPath}; }
inline Shape Json() { return {.type = Type::kJson}; }
inline Shape Queries() { return {.type = Type::kQueries}; }
inline Shape Step() { return {.type = Type::kStep}; }
inline Shape HttpStep() { return {.type = Type::kHttpStep}; }
inline Shape Choice(std::vector<std::string> choices) {
  return {.type = Type::kChoice, .choices = std::move(choices)};
}
inline Shape Expect(Subject subject) {
  return {.type = Type::kExpectation, .subject = subject};
}
inline Shape Of(const Object& (*object)()) {
  return {.type = Type::kObject, .object = object};
}
inline Shape List(std::vector<Shape> element, double least = 0,
                  double most = 10'000) {
  return {.type = Type::kList,
          .element = std::move(element),
          .least = least,
          .most = most};
}
inline Shape List(Shape element, double least = 0, double most = 10'000) {
  return List(std::vector<Shape>{std::move(element)}, least, most);
}
inline Shape Map(std::vector<Shape> element) {
  return {.type = Type::kMap, .element = std::move(element)};
}
inline Shape Map(Shape element) {
  return Map(std::vector<Shape>{std::move(element)});
}

}  // namespace assay::suite::shapes

#endif  // ASSAY_RUNNER_SUITE_SHAPES_H_
