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

namespace schema {
struct Set;
}  // namespace schema

// Where and why a value breaks a schema.
struct SchemaViolation {
  // JSON Pointer into the value; empty: the value itself.
  std::string pointer;
  std::string message;
};

// A JSON Schema, draft 7; `format` is an annotation, as the draft has it.
// `$ref` reaches other files of the suite, by path relative to the schema, and
// nothing else: neither network nor disk. Patterns run on RE2, in linear time,
// so that a hostile value costs no more than its length.
//
// Threads: immutable, and may be shared.
class JsonSchema {
 public:
  using Files = std::map<std::string, std::string>;

  // INVALID_ARGUMENT: not JSON, not a schema, or a `$ref` to nowhere. A file's
  // name may also be an absolute URI that a `$ref` names.
  static Expected<JsonSchema> Load(const Files& files, std::string_view path);

  // Empty: the value is valid. At most 20. A value that takes too long to
  // validate is not valid, and says so.
  std::vector<SchemaViolation> Validate(const nlohmann::json& value) const;

  // The files that the schema and its references lie in, in order.
  const std::vector<std::string>& files() const;

 private:
  explicit JsonSchema(std::shared_ptr<const schema::Set> set);
  std::shared_ptr<const schema::Set> set_;
};

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_JSON_SCHEMA_H_
