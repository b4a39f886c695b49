// What plain scalars mean: YAML 1.2's core schema, with warnings where YAML 1.1
// readers would see something else.

#include <cctype>
#include <charconv>
#include <cmath>

#include "runner/suite/utf8.h"
#include "runner/suite/yaml_tree.h"

namespace assay::suite {
namespace {

bool AllDigits(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
  }
  return true;
}

std::string_view WithoutSign(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    text.remove_prefix(1);
  }
  return text;
}

bool IsInteger(std::string_view text) { return AllDigits(WithoutSign(text)); }

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool IsFloat(std::string_view text) {
  text = WithoutSign(text);
  std::size_t i = 0;
  std::size_t digits = 0;
  const auto skip_digits = [&] {
    while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i, ++digits;
  };
  skip_digits();
  if (i < text.size() && text[i] == '.') {
    ++i;
    skip_digits();
  }
  if (digits == 0) return false;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    const std::size_t before = digits;
    skip_digits();
    if (digits == before) return false;
  }
  return i == text.size();
}

nlohmann::json IntegerOf(std::string_view text) {
  if (text[0] == '+') text.remove_prefix(1);
  const char* end = text.data() + text.size();
  if (text[0] != '-') {
    std::uint64_t value = 0;
    if (std::from_chars(text.data(), end, value).ec == std::errc()) {
      // Small numbers are signed everywhere else, and equal as such.
      if (value <= INT64_MAX) return static_cast<std::int64_t>(value);
      return value;
    }
  } else {
    std::int64_t value = 0;
    if (std::from_chars(text.data(), end, value).ec == std::errc()) {
      return value;
    }
  }
  return std::string(text);
}

nlohmann::json FloatOf(std::string_view text) {
  const std::string copy(text);
  const double value = std::strtod(copy.c_str(), nullptr);
  if (!std::isfinite(value)) return copy;
  return value;
}

}  // namespace

ScalarType TypeOf(const Node& scalar) {
  if (scalar.kind == Node::Kind::kNull) return ScalarType::kNull;
  if (scalar.quoted) return ScalarType::kString;
  const std::string& text = scalar.text;
  if (text.empty() || text == "~" || text == "null" || text == "Null" ||
      text == "NULL") {
    return ScalarType::kNull;
  }
  if (text == "true" || text == "True" || text == "TRUE" || text == "false" ||
      text == "False" || text == "FALSE") {
    return ScalarType::kBool;
  }
  if (IsInteger(text)) return ScalarType::kInteger;
  if (IsFloat(text)) return ScalarType::kFloat;
  return ScalarType::kString;
}

std::string CheckJsonScalar(const Node& scalar) {
  const ScalarType type = TypeOf(scalar);
  const std::string& text = scalar.text;
  if (type == ScalarType::kInteger) {
    const std::string_view digits = WithoutSign(text);
    if (digits.size() > 1 && digits[0] == '0') {
      return "the number " + text +
             " is read as decimal by some YAML readers and as octal by "
             "others; quote it, or drop the zeros";
    }
    if (IntegerOf(text).is_string()) {
      return "the number " + text + " does not fit into 64 bits; quote it";
    }
  }
  if (type == ScalarType::kFloat && FloatOf(text).is_string()) {
    return "the number " + text + " is out of range; quote it";
  }
  if (type == ScalarType::kString && !scalar.quoted) {
    const std::string_view rest = WithoutSign(text);
    if (rest == ".inf" || rest == ".Inf" || rest == ".INF" || text == ".nan" ||
        text == ".NaN" || text == ".NAN") {
      return "JSON has no " + text + "; quote it";
    }
    if (rest.size() > 2 && rest[0] == '0' &&
        (rest[1] == 'x' || rest[1] == 'o' || rest[1] == 'b') &&
        rest.find_first_not_of("0123456789abcdefABCDEF", 2) ==
            std::string_view::npos) {
      return "the value " + text +
             " is a number to some YAML readers and a text to others; quote "
             "it, or write it in decimal";
    }
  }
  return "";
}

nlohmann::json ToJson(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return nullptr;
    case Node::Kind::kList: {
      nlohmann::json list = nlohmann::json::array();
      for (const auto& item : node.items) list.push_back(ToJson(*item));
      return list;
    }
    case Node::Kind::kMap: {
      nlohmann::json map = nlohmann::json::object();
      for (const Node::Entry& entry : node.entries) {
        map[entry.key] = ToJson(*entry.value);
      }
      return map;
    }
    case Node::Kind::kScalar:
      break;
  }
  switch (TypeOf(node)) {
    case ScalarType::kNull:
      return nullptr;
    case ScalarType::kBool:
      return node.text[0] == 't' || node.text[0] == 'T';
    case ScalarType::kInteger:
      return IntegerOf(node.text);
    case ScalarType::kFloat:
      return FloatOf(node.text);
    case ScalarType::kString:
      break;
  }
  return node.text;
}

std::string Describe(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return "nothing";
    case Node::Kind::kList:
      return "a list";
    case Node::Kind::kMap:
      return "a mapping";
    case Node::Kind::kScalar:
      break;
  }
  const std::string text = Shorten(node.text, 60);
  switch (TypeOf(node)) {
    case ScalarType::kNull:
      return "nothing";
    case ScalarType::kBool:
      return text;
    case ScalarType::kInteger:
    case ScalarType::kFloat:
      return "the number " + text;
    case ScalarType::kString:
      break;
  }
  return "\"" + text + "\"";
}

}  // namespace assay::suite
