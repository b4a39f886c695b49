#include "runner/suite/yaml_text.h"

#include <cctype>
#include <set>

namespace assay::suite {
namespace {

bool IsPlain(std::string_view text) {
  static const std::set<std::string, std::less<>> kWords = {
      "null", "true", "false", "yes", "no", "on", "off", "y", "n"};
  if (text.empty() || text.size() > 200) return false;
  std::string lower;
  for (const char c : text) {
    lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  if (kWords.contains(lower)) return false;
  if (std::isalpha(static_cast<unsigned char>(text[0])) == 0 &&
      text[0] != '/') {
    return false;
  }
  if (text.back() == ' ') return false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) == 0 &&
        std::string_view(" _-./").find(c) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string YamlScalar(std::string_view text) {
  if (IsPlain(text)) return std::string(text);
  // JSON's escapes are YAML's.
  return nlohmann::json(text).dump(-1, ' ', false,
                                   nlohmann::json::error_handler_t::replace);
}

std::string YamlFlow(const nlohmann::json& value) {
  if (value.is_string()) return YamlScalar(value.get<std::string>());
  if (value.is_object()) {
    if (value.empty()) return "{}";
    std::string text = "{ ";
    for (const auto& [name, member] : value.items()) {
      if (text.size() > 2) text += ", ";
      text += YamlScalar(name) + ": " + YamlFlow(member);
    }
    return text + " }";
  }
  if (value.is_array()) {
    std::string text = "[";
    for (const auto& item : value) {
      if (text.size() > 1) text += ", ";
      text += YamlFlow(item);
    }
    return text + "]";
  }
  return value.dump();
}

}  // namespace assay::suite
