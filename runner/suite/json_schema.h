#ifndef ASSAY_RUNNER_SUITE_JSON_SCHEMA_H_
#define ASSAY_RUNNER_SUITE_JSON_SCHEMA_H_

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/error.h"

namespace assay::suite {

// Where and why a value breaks a schema.
struct SchemaViolation {
  // JSON Pointer into the value; empty: the value itself.
  std::string pointer;
  std::string message;
};

// A JSON Schema, draft 7. `$ref` reaches other files of the suite, by path
// relative to the schema, and nothing else: neither network nor disk.
//
// Threads: immutable, and may be shared.
class JsonSchema {
 public:
  using Files = std::map<std::string, std::string>;

  // INVALID_ARGUMENT: not JSON, not a schema, or a `$ref` to nowhere.
  static Expected<JsonSchema> Load(const Files& files, std::string_view path);

  // Empty: the value is valid. At most 20.
  std::vector<SchemaViolation> Validate(const nlohmann::json& value) const;

 private:
  struct Impl;
  explicit JsonSchema(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_JSON_SCHEMA_H_
