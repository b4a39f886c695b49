#ifndef ASSAY_RUNNER_SUITE_TEMPLATE_H_
#define ASSAY_RUNNER_SUITE_TEMPLATE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/error.h"

namespace assay::suite {

// What templates may refer to: JSON values and generators by name. A reference
// `a.b.0` takes the value `a`, its member `b`, and that array's first element.
//
// Threads: none of its own; generators change state, so one thread at a time.
class Scope {
 public:
  using Generator = std::function<nlohmann::json()>;

  // Replaces what had the name.
  void Set(std::string name, nlohmann::json value);
  // Sets one value inside an object: SetMember("sidecars", "db", {...}).
  void SetMember(const std::string& name, const std::string& member,
                 nlohmann::json value);
  void Erase(std::string_view name);
  // Called anew for each reference.
  void SetGenerator(std::string name, Generator generator);
  // uuid (version 4), hex16 (16 random hex digits), number (1 to 1,000,000),
  // now (RFC 3339, UTC) and unix_time (seconds). The random ones repeat for the
  // same seed.
  void AddGenerators(std::uint64_t seed);

  // NOT_FOUND names the part that is missing and the nearest names.
  Expected<nlohmann::json> Find(std::string_view reference) const;
  // Null where there is no such value; the name is not split at dots.
  const nlohmann::json* Value(std::string_view name) const;

 private:
  std::map<std::string, nlohmann::json, std::less<>> values_;
  std::map<std::string, Generator, std::less<>> generators_;
};

// The names that AddGenerators defines.
const std::vector<std::string>& GeneratorNames();

// Replaces each `{{reference}}` of `text` by its value: strings as they are,
// other values as JSON. `{{"{{"}}` stands for two braces.
//
// Errors: INVALID_ARGUMENT for a malformed template, NOT_FOUND as Scope::Find.
Expected<std::string> ExpandText(std::string_view text, const Scope& scope);

// Expands the strings in a JSON value, keys included. A string that is nothing
// but one template takes the value's own type.
Expected<nlohmann::json> ExpandJson(const nlohmann::json& value,
                                    const Scope& scope);
// The same for JSON text, as plans hold it.
Expected<nlohmann::json> ExpandJsonText(std::string_view json_text,
                                        const Scope& scope);

// The references of a text in order ("alice", "secrets.jwt").
Expected<std::vector<std::string>> TemplateReferences(std::string_view text);

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_TEMPLATE_H_
