// Single values: names, numbers, quantities with units, patterns, files.

#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "runner/suite/jsonpath.h"
#include "runner/suite/nearest.h"
#include "runner/suite/template.h"
#include "runner/suite/units.h"
#include "runner/suite/utf8.h"
#include "runner/suite/validator.h"

namespace assay::suite {
namespace {

bool HasTemplate(std::string_view text) {
  return text.find("{{") != std::string_view::npos;
}

bool IsName(std::string_view text) {
  if (text.empty() || text.size() > 60) return false;
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  if (!letter(text[0])) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '-';
  });
}

bool IsId(std::string_view text) {
  if (text.empty() || text.size() > 60 || text[0] == '-') return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

std::string BoundsText(const Shape& shape) {
  const auto number = [](double value) {
    std::string text = std::to_string(value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text;
  };
  if (shape.least == shape.most) return number(shape.least);
  if (shape.most >= 1e15) return "of at least " + number(shape.least);
  return "from " + number(shape.least) + " to " + number(shape.most);
}

template <class T>
std::string MessageOf(const Expected<T>& parsed) {
  return parsed ? "" : parsed.error().message;
}

std::string CheckNumber(const Node& node, const Shape& shape) {
  const ScalarType type = TypeOf(node);
  const bool fits = type == ScalarType::kInteger ||
                    (type == ScalarType::kFloat && shape.type == Type::kNumber);
  if (fits && CheckJsonScalar(node).empty()) {
    const double value = std::strtod(node.text.c_str(), nullptr);
    if (value >= shape.least && value <= shape.most) return "";
  }
  return "expected " + ShapeText(shape) + ", found " + Describe(node);
}

std::string CheckBool(const Node& node) {
  if (TypeOf(node) == ScalarType::kBool) return "";
  static const std::vector<std::string> kOld = {"yes", "no", "on", "off"};
  std::string lower = node.text;
  for (char& c : lower) c = static_cast<char>(std::tolower(c));
  const bool old = std::find(kOld.begin(), kOld.end(), lower) != kOld.end();
  return "expected true or false, found " + Describe(node) +
         (old ? "; YAML 1.2 has no other booleans" : "");
}

}  // namespace

std::string ShapeText(const Shape& shape) {
  switch (shape.type) {
    case Type::kText:
    case Type::kTemplate:
      return "a text";
    case Type::kPath:
      return "a path that starts with \"/\"";
    case Type::kName:
      return "a name (letters, digits, _ and -, a letter first)";
    case Type::kId:
      return "an id (lower-case letters, digits and -)";
    case Type::kBool:
      return "true or false";
    case Type::kInteger:
      return "a whole number " + BoundsText(shape);
    case Type::kNumber:
      return "a number " + BoundsText(shape);
    case Type::kDuration:
      return "a duration with its unit, like 80ms";
    case Type::kSize:
      return "a size with its unit, like 64MiB";
    case Type::kBandwidth:
      return "a bandwidth, like 64KiB/s";
    case Type::kRate:
      return "a rate, like 200/s";
    case Type::kPercentage:
      return "a percentage, like 0.1%";
    case Type::kChoice:
      return JoinNames(shape.choices, "or");
    case Type::kFile:
      return "a file of the suite";
    case Type::kFolder:
      return "a folder of the suite";
    case Type::kRegex:
      return "an RE2 pattern";
    case Type::kJsonPath:
      return "a JSONPath";
    case Type::kJson:
      return "any value";
    case Type::kExpectation:
      return SubjectText(shape.subject) + " or matchers";
    case Type::kQueries:
      return "a mapping from JSONPath to what is expected";
    case Type::kObject:
      return shape.object().title;
    case Type::kList:
      return "a list";
    case Type::kMap:
      return "a mapping";
    case Type::kStep:
      return "a step";
    case Type::kHttpStep:
      return "an HTTP step";
  }
  return "a value";
}

std::string Validator::CheckScalar(const Node& node, const Shape& shape) const {
  if (node.kind == Node::Kind::kNull && shape.type != Type::kJson) {
    return "expected " + ShapeText(shape) + ", found nothing";
  }
  switch (shape.type) {
    case Type::kBool:
      return CheckBool(node);
    case Type::kInteger:
    case Type::kNumber:
      return CheckNumber(node, shape);
    case Type::kDuration:
    case Type::kSize:
    case Type::kBandwidth:
    case Type::kRate:
    case Type::kPercentage:
      return CheckQuantity(node, shape);
    default:
      return CheckText(node, shape);
  }
}

std::string Validator::CheckQuantity(const Node& node,
                                     const Shape& shape) const {
  switch (shape.type) {
    case Type::kDuration: {
      const auto duration = ParseDuration(node.text);
      if (!duration) return duration.error().message;
      return static_cast<double>(duration->count()) >= shape.least
                 ? ""
                 : "expected more than nothing, found " + node.text;
    }
    case Type::kSize:
      return MessageOf(ParseSize(node.text));
    case Type::kBandwidth:
      return MessageOf(ParseBandwidth(node.text));
    case Type::kRate: {
      const auto rate = ParseRate(node.text);
      if (!rate) return rate.error().message;
      return *rate > 0 ? "" : "expected more than nothing, found " + node.text;
    }
    default:
      return MessageOf(ParsePercentage(node.text));
  }
}

std::string Validator::CheckText(const Node& node, const Shape& shape) const {
  const std::string& text = node.text;
  const auto expected = [&](bool good) {
    return good ? ""
                : "expected " + ShapeText(shape) + ", found " + Describe(node);
  };
  switch (shape.type) {
    case Type::kText:
      return expected(!text.empty());
    case Type::kTemplate:
      return MessageOf(TemplateReferences(text));
    case Type::kPath: {
      const std::string wrong = MessageOf(TemplateReferences(text));
      if (!wrong.empty()) return wrong;
      return expected(text.starts_with("/") || text.starts_with("{{"));
    }
    case Type::kName:
      return expected(IsName(text));
    case Type::kId:
      return expected(IsId(text));
    case Type::kChoice: {
      if (std::find(shape.choices.begin(), shape.choices.end(), text) !=
          shape.choices.end()) {
        return "";
      }
      return expected(false) + DidYouMean(text, shape.choices);
    }
    case Type::kFile:
      return CheckFile(text, false);
    case Type::kFolder:
      return CheckFile(text, true);
    case Type::kRegex: {
      if (HasTemplate(text)) return MessageOf(TemplateReferences(text));
      RE2::Options options;
      options.set_log_errors(false);
      const RE2 pattern(text, options);
      return pattern.ok() ? "" : "not an RE2 pattern: " + pattern.error();
    }
    case Type::kJsonPath: {
      const auto path = JsonPath::Parse(text);
      return path ? "" : "not a JSONPath: " + path.error().message;
    }
    default:
      return "";
  }
}

std::string Validator::CheckFile(std::string_view path, bool folder) const {
  const std::string text(path);
  if (text.empty() || text.starts_with("/") || text.starts_with("../") ||
      text.find("/../") != std::string::npos || text.ends_with("/..")) {
    return "expected a path inside " + where_ + ", found \"" +
           Shorten(text, 60) + "\"";
  }
  if (!folder && files_.contains(text)) return "";
  const std::string prefix = text.ends_with("/") ? text : text + "/";
  const auto below = files_.lower_bound(prefix);
  const bool is_folder =
      below != files_.end() && below->first.starts_with(prefix);
  if (is_folder && (folder || text.ends_with("/"))) return "";
  std::vector<std::string> names;
  for (const auto& [name, unused] : files_) {
    names.push_back(name);
    const std::size_t slash = name.find('/');
    if (folder && slash != std::string::npos) {
      names.push_back(name.substr(0, slash));
    }
  }
  return std::string(folder ? "there is no folder \"" : "there is no file \"") +
         Shorten(text, 60) + "\" in " + where_ + DidYouMean(text, names);
}

}  // namespace assay::suite
