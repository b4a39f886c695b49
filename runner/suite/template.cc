#include "runner/suite/template.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <memory>
#include <optional>
#include <random>

#include "runner/suite/nearest.h"
#include "runner/suite/utf8.h"

namespace assay::suite {
namespace {

using nlohmann::json;

// A text in parts: literal text and references in turn.
struct Part {
  std::string text;
  bool reference = false;
};

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '_' || c == '-';
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool IsReference(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.') return false;
  char previous = '.';
  for (const char c : text) {
    if (c == '.' ? previous == '.' : !IsNameCharacter(c)) return false;
    previous = c;
  }
  return true;
}

// Where the template that opens at `open` ends: behind its "}}". A quoted
// literal may hold braces.
std::size_t EndOf(std::string_view text, std::size_t open) {
  bool quoted = false;
  for (std::size_t i = open + 2; i + 1 < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (!quoted && text[i] == '}' && text[i + 1] == '}') return i + 2;
  }
  return std::string_view::npos;
}

Expected<Part> ParsePart(std::string_view inside) {
  const std::string_view name = Trim(inside);
  if (name.size() >= 2 && name.front() == '"' && name.back() == '"' &&
      name.find('"', 1) == name.size() - 1) {
    return Part{std::string(name.substr(1, name.size() - 2)), false};
  }
  if (IsReference(name)) return Part{std::string(name), true};
  return InvalidArgument("the template {{", Shorten(inside, 40),
                         "}} is not a name such as {{token}} or "
                         "{{secrets.jwt}}");
}

Expected<std::vector<Part>> Split(std::string_view text) {
  std::vector<Part> parts;
  std::size_t position = 0;
  while (true) {
    const std::size_t open = text.find("{{", position);
    const std::string_view literal = text.substr(
        position, open == std::string_view::npos ? std::string_view::npos
                                                 : open - position);
    if (!literal.empty()) parts.push_back({std::string(literal), false});
    if (open == std::string_view::npos) return parts;
    const std::size_t end = EndOf(text, open);
    if (end == std::string_view::npos) {
      return InvalidArgument("found {{ without }} in \"", Shorten(text, 60),
                             "\"; write {{\"{{\"}} for two braces");
    }
    ASSAY_ASSIGN_OR_RETURN(Part part,
                           ParsePart(text.substr(open + 2, end - open - 4)));
    parts.push_back(std::move(part));
    position = end;
  }
}

std::vector<std::string> Names(const json& value, const std::string& prefix) {
  std::vector<std::string> names;
  if (!value.is_object()) return names;
  for (const auto& [name, unused] : value.items()) {
    names.push_back(prefix + name);
  }
  return names;
}

const json* Member(const json& value, std::string_view name) {
  if (value.is_object()) {
    const auto it = value.find(std::string(name));
    return it == value.end() ? nullptr : &*it;
  }
  if (!value.is_array() || name.empty() || name.size() > 9) return nullptr;
  std::size_t index = 0;
  for (const char c : name) {
    if (c < '0' || c > '9') return nullptr;
    index = index * 10 + static_cast<std::size_t>(c - '0');
  }
  return index < value.size() ? &value[index] : nullptr;
}

std::string TextOf(const json& value) {
  return value.is_string()
             ? value.get<std::string>()
             : value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string Rfc3339Now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char buffer[32];
  std::strftime(buffer, sizeof buffer, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return buffer;
}

std::string Hex16(std::mt19937_64& random) {
  char buffer[20];
  std::snprintf(buffer, sizeof buffer, "%016llx",
                static_cast<unsigned long long>(random()));
  return buffer;
}

std::string Uuid(std::mt19937_64& random) {
  const std::uint64_t high =
      (random() & 0xFFFFFFFFFFFF0FFFULL) | 0x0000000000004000ULL;
  const std::uint64_t low =
      (random() & 0x3FFFFFFFFFFFFFFFULL) | 0x8000000000000000ULL;
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%08x-%04x-%04x-%04x-%012llx",
                static_cast<unsigned>(high >> 32),
                static_cast<unsigned>(high >> 16 & 0xFFFF),
                static_cast<unsigned>(high & 0xFFFF),
                static_cast<unsigned>(low >> 48),
                static_cast<unsigned long long>(low & 0xFFFFFFFFFFFFULL));
  return buffer;
}

Expected<json> ExpandString(const std::string& text, const Scope& scope) {
  if (text.find("{{") == std::string::npos) return json(text);
  ASSAY_ASSIGN_OR_RETURN(const std::vector<Part> parts, Split(text));
  if (parts.size() == 1 && parts[0].reference) return scope.Find(parts[0].text);
  std::string expanded;
  for (const Part& part : parts) {
    if (!part.reference) {
      expanded += part.text;
      continue;
    }
    ASSAY_ASSIGN_OR_RETURN(const json value, scope.Find(part.text));
    expanded += TextOf(value);
  }
  return json(std::move(expanded));
}

}  // namespace

void Scope::Set(std::string name, json value) {
  values_[std::move(name)] = std::move(value);
}

void Scope::SetMember(const std::string& name, const std::string& member,
                      json value) {
  json& object = values_[name];
  if (!object.is_object()) object = json::object();
  object[member] = std::move(value);
}

void Scope::Erase(std::string_view name) {
  const auto it = values_.find(name);
  if (it != values_.end()) values_.erase(it);
}

void Scope::SetGenerator(std::string name, Generator generator) {
  generators_[std::move(name)] = std::move(generator);
}

void Scope::AddGenerators(std::uint64_t seed) {
  const auto random = std::make_shared<std::mt19937_64>(seed);
  SetGenerator("uuid", [random] { return Uuid(*random); });
  SetGenerator("hex16", [random] { return Hex16(*random); });
  // Not a std distribution: those differ between standard libraries.
  SetGenerator("number", [random] { return 1 + (*random)() % 1'000'000; });
  SetGenerator("now", [] { return Rfc3339Now(); });
  SetGenerator("unix_time", [] { return std::time(nullptr); });
}

const std::vector<std::string>& GeneratorNames() {
  static const std::vector<std::string> kNames = {"uuid", "hex16", "number",
                                                  "now", "unix_time"};
  return kNames;
}

const json* Scope::Value(std::string_view name) const {
  const auto it = values_.find(name);
  return it == values_.end() ? nullptr : &it->second;
}

Expected<json> Scope::Find(std::string_view reference) const {
  const std::size_t dot = reference.find('.');
  const std::string_view first = reference.substr(0, dot);
  const json* value = Value(first);
  if (value == nullptr) {
    const auto generator = generators_.find(reference);
    if (generator != generators_.end()) return generator->second();
    std::vector<std::string> names;
    for (const auto& [name, unused] : values_) names.push_back(name);
    for (const auto& [name, unused] : generators_) names.push_back(name);
    return NotFound("there is no value {{", reference, "}}",
                    DidYouMean(first, names));
  }
  std::string prefix = std::string(first) + ".";
  std::string_view rest =
      dot == std::string_view::npos ? "" : reference.substr(dot + 1);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('.'), rest.size());
    const std::string_view name = rest.substr(0, end);
    const json* member = Member(*value, name);
    if (member == nullptr) {
      return NotFound(
          "there is no value {{", reference, "}}",
          DidYouMean(prefix + std::string(name), Names(*value, prefix)));
    }
    value = member;
    prefix += std::string(name) + ".";
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return *value;
}

Expected<std::string> ExpandText(std::string_view text, const Scope& scope) {
  ASSAY_ASSIGN_OR_RETURN(const json value,
                         ExpandString(std::string(text), scope));
  return TextOf(value);
}

Expected<json> ExpandJson(const json& value, const Scope& scope) {
  if (value.is_string()) {
    return ExpandString(value.get_ref<const std::string&>(), scope);
  }
  if (value.is_array()) {
    json expanded = json::array();
    for (const json& element : value) {
      ASSAY_ASSIGN_OR_RETURN(json item, ExpandJson(element, scope));
      expanded.push_back(std::move(item));
    }
    return expanded;
  }
  if (value.is_object()) {
    json expanded = json::object();
    for (const auto& [key, member] : value.items()) {
      ASSAY_ASSIGN_OR_RETURN(std::string name, ExpandText(key, scope));
      ASSAY_ASSIGN_OR_RETURN(expanded[std::move(name)],
                             ExpandJson(member, scope));
    }
    return expanded;
  }
  return value;
}

Expected<json> ExpandJsonText(std::string_view json_text, const Scope& scope) {
  const json value = json::parse(json_text, nullptr, false);
  if (value.is_discarded()) {
    return InvalidArgument("not JSON: ", Shorten(json_text, 80));
  }
  return ExpandJson(value, scope);
}

Expected<std::vector<std::string>> TemplateReferences(std::string_view text) {
  ASSAY_ASSIGN_OR_RETURN(const std::vector<Part> parts, Split(text));
  std::vector<std::string> references;
  for (const Part& part : parts) {
    if (part.reference) references.push_back(part.text);
  }
  return references;
}

}  // namespace assay::suite
