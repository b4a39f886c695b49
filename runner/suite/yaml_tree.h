#ifndef ASSAY_RUNNER_SUITE_YAML_TREE_H_
#define ASSAY_RUNNER_SUITE_YAML_TREE_H_

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "runner/suite/diagnostic.h"

namespace assay::suite {

// A YAML value with its place. Aliases share their anchor's node.
struct Node {
  enum class Kind { kNull, kScalar, kList, kMap };
  struct Entry;

  Kind kind = Kind::kNull;
  Place at;
  // Of a scalar, as written; `quoted` says that it is a string whatever it
  // looks like.
  std::string text;
  bool quoted = false;
  std::vector<std::shared_ptr<const Node>> items;
  std::vector<Entry> entries;
  // Nodes below and including this one, aliases expanded.
  std::size_t weight = 1;
  // Levels below and including this one.
  std::size_t depth = 1;

  // The value of `key`, or null where there is none.
  const Node* Get(std::string_view key) const;
  const Entry* Find(std::string_view key) const;
};

struct Node::Entry {
  std::string key;
  Place key_at;
  bool key_quoted = false;
  std::shared_ptr<const Node> value;
};

// What bounds a file; a suite of a thousand checks uses a tenth of it.
inline constexpr std::size_t kMaxYamlBytes = 1 << 20;
inline constexpr std::size_t kMaxYamlNodes = 200'000;
inline constexpr std::size_t kMaxYamlDepth = 64;

// How strict a parse is.
struct YamlRules {
  std::size_t max_bytes = kMaxYamlBytes;
  // Documents of others may use keys that suites may not.
  bool any_key = false;
};

// Parses one YAML document. Refused, though YAML allows it: duplicate keys,
// keys that are not scalars, unquoted keys that YAML 1.1 reads as booleans,
// merge keys, tags, several documents, and aliases that expand to more than
// kMaxYamlNodes. Returns null after a mistake that leaves no tree; others are
// added to `diagnostics` and the tree goes on without them.
std::shared_ptr<const Node> ParseYaml(const std::string& file,
                                      std::string_view text,
                                      Diagnostics& diagnostics,
                                      const YamlRules& rules = {});

// What a plain scalar is, by YAML 1.2's core schema.
enum class ScalarType { kNull, kBool, kInteger, kFloat, kString };
ScalarType TypeOf(const Node& scalar);

// The node as JSON. Numbers that JSON cannot hold are strings; they, and
// integers with leading zeros (8 or 10 to whom?), are reported by
// CheckJsonScalar.
nlohmann::json ToJson(const Node& node);
// Empty: fine; else why the scalar would be read differently by others.
std::string CheckJsonScalar(const Node& scalar);

// "a mapping", "a list", "the number 5", "the text "x"", "nothing".
std::string Describe(const Node& node);

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_YAML_TREE_H_
