#ifndef ASSAY_RUNNER_SUITE_JSON_SCHEMA_SET_H_
#define ASSAY_RUNNER_SUITE_JSON_SCHEMA_SET_H_

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace re2 {
class RE2;
}

namespace assay::suite::schema {

// Schemas that refer to each other, with every reference resolved and every
// pattern compiled.
struct Set {
  Set();
  ~Set();

  // Documents by URI.
  std::map<std::string, std::unique_ptr<nlohmann::json>> documents;
  const nlohmann::json* root = nullptr;
  // By the object that holds the `$ref`.
  std::map<const nlohmann::json*, const nlohmann::json*> targets;
  std::map<std::string, std::unique_ptr<re2::RE2>, std::less<>> patterns;
  std::vector<std::string> files;
};

// The keywords of draft 7 whose values are one schema, a list of schemas, or
// schemas by name.
inline constexpr const char* kOneSchema[] = {"additionalItems",
                                             "additionalProperties",
                                             "contains",
                                             "else",
                                             "if",
                                             "items",
                                             "not",
                                             "propertyNames",
                                             "then"};
inline constexpr const char* kSchemaLists[] = {"allOf", "anyOf", "oneOf",
                                               "items"};
inline constexpr const char* kSchemaMaps[] = {
    "definitions", "dependencies", "patternProperties", "properties"};

}  // namespace assay::suite::schema

#endif  // ASSAY_RUNNER_SUITE_JSON_SCHEMA_SET_H_
