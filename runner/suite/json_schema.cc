// Loading: documents, identifiers, references, patterns.

#include "runner/suite/json_schema.h"

#include <re2/re2.h>

#include <set>

#include "runner/suite/json_schema_set.h"
#include "runner/suite/json_text.h"
#include "runner/suite/uri.h"
#include "runner/suite/utf8.h"

namespace assay::suite {
namespace schema {

Set::Set() = default;
Set::~Set() = default;

}  // namespace schema

namespace {

using nlohmann::json;
using schema::Set;

// Files of a suite are documents of a scheme of their own, so that relative
// references between them work and absolute ones go nowhere.
constexpr std::string_view kSuiteScheme = "suite:///";

// ECMA 262's notation for code points and control characters as RE2 reads it.
std::string ToRe2Pattern(std::string_view pattern) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '\\' || i + 1 == pattern.size()) {
      out += pattern[i];
      continue;
    }
    const char next = pattern[++i];
    if (next == 'u' && i + 4 < pattern.size() &&
        pattern.substr(i + 1, 4).find_first_not_of("0123456789abcdefABCDEF") ==
            std::string_view::npos) {
      out += "\\x{" + std::string(pattern.substr(i + 1, 4)) + "}";
      i += 4;
    } else if (next == 'c' && i + 1 < pattern.size()) {
      static constexpr char kDigits[] = "0123456789abcdef";
      const int code = pattern[++i] & 31;
      out += std::string("\\x") + kDigits[code >> 4] + kDigits[code & 15];
    } else {
      out += '\\';
      out += next;
    }
  }
  return out;
}

class Loader {
 public:
  Loader(const JsonSchema::Files& files, Set& set) : files_(files), set_(set) {}

  Status Load(std::string_view path) {
    const std::string uri = std::string(kSuiteScheme) + std::string(path);
    ASSAY_ASSIGN_OR_RETURN(set_.root, Document(uri));
    // References are resolved as they are found, which finds more documents.
    while (!pending_.empty()) {
      const Place next = pending_.back();
      pending_.pop_back();
      ASSAY_RETURN_IF_ERROR(Visit(*next.schema, next.base));
    }
    return {};
  }

 private:
  // A schema and the URI that its references are relative to.
  struct Place {
    const json* schema = nullptr;
    Uri base;
  };

  Expected<const json*> Document(const std::string& uri) {
    const auto known = set_.documents.find(uri);
    if (known != set_.documents.end()) return known->second.get();
    const std::string name =
        uri.starts_with(kSuiteScheme) ? uri.substr(kSuiteScheme.size()) : uri;
    const auto file = files_.find(PercentDecode(name));
    if (file == files_.end()) {
      return InvalidArgument("there is no schema \"", name,
                             "\" in the suite's folder");
    }
    auto parsed = ParseJson(file->second);
    if (!parsed) {
      return std::unexpected(parsed.error().Within(name));
    }
    set_.files.push_back(file->first);
    auto& document = set_.documents[uri];
    document = std::make_unique<json>(*std::move(parsed));
    const Uri base = Uri::Parse(uri);
    places_[uri] = {document.get(), base};
    Index(*document, base, 0);
    pending_.push_back({document.get(), base});
    return document.get();
  }

  // Notes what every subschema may be called. `$id` counts only where a schema
  // stands: an `enum` may hold an object with such a member.
  void Index(const json& node, Uri base, int depth) {
    if (!node.is_object() || depth > 200) return;
    const bool reference = node.contains("$ref");
    const auto id = node.find("$id");
    if (!reference && id != node.end() && id->is_string()) {
      const Uri given = Uri::Parse(id->get_ref<const std::string&>());
      base = base.Resolve(given);
      const std::string name =
          base.Document() + (given.fragment.empty() ? "" : "#" + base.fragment);
      places_.emplace(name, Place{&node, base});
      base.fragment.clear();
    }
    bases_[&node] = base;
    ForEachSubschema(node,
                     [&](const json& child) { Index(child, base, depth + 1); });
  }

  template <class F>
  static void ForEachSubschema(const json& node, F&& visit) {
    for (const char* keyword : schema::kOneSchema) {
      const auto it = node.find(keyword);
      if (it != node.end() && !it->is_array()) visit(*it);
    }
    for (const char* keyword : schema::kSchemaLists) {
      const auto it = node.find(keyword);
      if (it == node.end() || !it->is_array()) continue;
      for (const json& child : *it) visit(child);
    }
    for (const char* keyword : schema::kSchemaMaps) {
      const auto it = node.find(keyword);
      if (it == node.end() || !it->is_object()) continue;
      for (const auto& [name, child] : it->items()) {
        if (!child.is_array()) visit(child);
      }
    }
  }

  Status Visit(const json& node, const Uri& inherited) {
    if (!visited_.insert(&node).second) return {};
    if (node.is_boolean()) return {};
    if (!node.is_object()) {
      return InvalidArgument(
          "a schema is an object, true or false, found ",
          Shorten(node.dump(-1, ' ', false, json::error_handler_t::replace),
                  60));
    }
    const auto known = bases_.find(&node);
    const Uri base = known == bases_.end() ? inherited : known->second;
    const auto reference = node.find("$ref");
    if (reference != node.end() && reference->is_string()) {
      return Resolve(node, base, reference->get_ref<const std::string&>());
    }
    ASSAY_RETURN_IF_ERROR(CheckKeywords(node));
    ASSAY_RETURN_IF_ERROR(CompilePatterns(node));
    ForEachSubschema(
        node, [&](const json& child) { pending_.push_back({&child, base}); });
    return {};
  }

  Status Resolve(const json& node, const Uri& base, const std::string& text) {
    const Uri uri = base.Resolve(Uri::Parse(text));
    const std::string name = uri.Document();
    if (!uri.fragment.empty() && !uri.fragment.starts_with("/")) {
      const auto anchor = places_.find(name + "#" + uri.fragment);
      if (anchor == places_.end() && !places_.contains(name)) {
        ASSAY_RETURN_IF_ERROR(Document(name));
      }
      const auto found = places_.find(name + "#" + uri.fragment);
      if (found == places_.end()) {
        return InvalidArgument("the reference ", text, " leads nowhere");
      }
      return Target(node, found->second);
    }
    auto place = places_.find(name);
    if (place == places_.end()) {
      ASSAY_RETURN_IF_ERROR(Document(name));
      place = places_.find(name);
    }
    const Place start = place->second;
    return Point(node, start, uri, text);
  }

  // Follows a JSON Pointer. Bases change at each `$id` on the way.
  Status Point(const json& node, Place place, const Uri& uri,
               const std::string& text) {
    std::string pointer = PercentDecode(uri.fragment);
    std::size_t position = 0;
    while (position < pointer.size()) {
      const std::size_t end =
          std::min(pointer.find('/', position + 1), pointer.size());
      const json* next =
          Step(*place.schema, pointer.substr(position + 1, end - position - 1));
      if (next == nullptr) {
        return InvalidArgument("the reference ", Shorten(text, 80),
                               " leads nowhere");
      }
      place.schema = next;
      const auto base = bases_.find(next);
      if (base != bases_.end()) place.base = base->second;
      position = end;
    }
    return Target(node, place);
  }

  static const json* Step(const json& at, std::string token) {
    std::string name;
    for (std::size_t i = 0; i < token.size(); ++i) {
      if (token[i] == '~' && i + 1 < token.size()) {
        name += token[++i] == '1' ? '/' : '~';
      } else {
        name += token[i];
      }
    }
    if (at.is_object()) {
      const auto it = at.find(name);
      return it == at.end() ? nullptr : &*it;
    }
    if (!at.is_array() || name.empty() || name.size() > 6 ||
        name.find_first_not_of("0123456789") != std::string::npos) {
      return nullptr;
    }
    const std::size_t index = std::stoul(name);
    return index < at.size() ? &at[index] : nullptr;
  }

  Status Target(const json& node, const Place& place) {
    set_.targets[&node] = place.schema;
    pending_.push_back(place);
    return {};
  }

  static Status CheckKeywords(const json& node) {
    static const std::map<std::string, bool (*)(const json&)> kShapes = {
        {"type", [](const json& v) { return v.is_string() || v.is_array(); }},
        {"enum", [](const json& v) { return v.is_array(); }},
        {"required", [](const json& v) { return v.is_array(); }},
        {"properties", [](const json& v) { return v.is_object(); }},
        {"patternProperties", [](const json& v) { return v.is_object(); }},
        {"dependencies", [](const json& v) { return v.is_object(); }},
        {"allOf", [](const json& v) { return v.is_array(); }},
        {"anyOf", [](const json& v) { return v.is_array(); }},
        {"oneOf", [](const json& v) { return v.is_array(); }},
        {"pattern", [](const json& v) { return v.is_string(); }},
        {"minimum", [](const json& v) { return v.is_number(); }},
        {"maximum", [](const json& v) { return v.is_number(); }},
        {"exclusiveMinimum", [](const json& v) { return v.is_number(); }},
        {"exclusiveMaximum", [](const json& v) { return v.is_number(); }},
        {"multipleOf", [](const json& v) { return v.is_number() && v > 0; }},
        {"minLength", [](const json& v) { return v.is_number() && v >= 0; }},
        {"maxLength", [](const json& v) { return v.is_number() && v >= 0; }},
        {"minItems", [](const json& v) { return v.is_number() && v >= 0; }},
        {"maxItems", [](const json& v) { return v.is_number() && v >= 0; }},
        {"minProperties",
         [](const json& v) { return v.is_number() && v >= 0; }},
        {"maxProperties",
         [](const json& v) { return v.is_number() && v >= 0; }},
        {"uniqueItems", [](const json& v) { return v.is_boolean(); }},
    };
    for (const auto& [keyword, fits] : kShapes) {
      const auto it = node.find(keyword);
      if (it != node.end() && !fits(*it)) {
        return InvalidArgument(
            "the schema's keyword \"", keyword, "\" cannot be ",
            Shorten(it->dump(-1, ' ', false, json::error_handler_t::replace),
                    60));
      }
    }
    return {};
  }

  Status CompilePatterns(const json& node) {
    const auto pattern = node.find("pattern");
    if (pattern != node.end()) {
      ASSAY_RETURN_IF_ERROR(Compile(pattern->get_ref<const std::string&>()));
    }
    const auto by_pattern = node.find("patternProperties");
    if (by_pattern == node.end()) return {};
    for (const auto& [text, unused] : by_pattern->items()) {
      ASSAY_RETURN_IF_ERROR(Compile(text));
    }
    return {};
  }

  Status Compile(const std::string& text) {
    auto& compiled = set_.patterns[text];
    if (compiled != nullptr) return {};
    RE2::Options options;
    options.set_log_errors(false);
    compiled = std::make_unique<RE2>(ToRe2Pattern(text), options);
    if (compiled->ok()) return {};
    return InvalidArgument("the schema's pattern ", Shorten(text, 80),
                           " is not an RE2 pattern: ", compiled->error());
  }

  const JsonSchema::Files& files_;
  Set& set_;
  std::map<std::string, Place> places_;
  std::map<const json*, Uri> bases_;
  std::set<const json*> visited_;
  std::vector<Place> pending_;
};

}  // namespace

JsonSchema::JsonSchema(std::shared_ptr<const Set> set) : set_(std::move(set)) {}

const std::vector<std::string>& JsonSchema::files() const {
  return set_->files;
}

Expected<JsonSchema> JsonSchema::Load(const Files& files,
                                      std::string_view path) {
  auto set = std::make_shared<Set>();
  if (const Status loaded = Loader(files, *set).Load(path); !loaded) {
    return std::unexpected(
        loaded.error().Within("schema " + std::string(path)));
  }
  return JsonSchema(std::move(set));
}

}  // namespace assay::suite
