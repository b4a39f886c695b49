#include "runner/assertions/matching.h"

#include <re2/re2.h>

#include <algorithm>
#include <cmath>

#include "runner/suite/json_text.h"
#include "runner/suite/utf8.h"

namespace assay::assertions {
namespace {

using nlohmann::json;
using plan::v1::Matcher;
using suite::JsonText;
using Matchers = Matching::Matchers;

std::string Got(const json* value) {
  return value == nullptr ? "but there is none" : "got " + JsonText(*value);
}

std::string TypeName(const json& value) {
  if (value.is_string()) return "string";
  if (value.is_boolean()) return "boolean";
  if (value.is_null()) return "null";
  if (value.is_object()) return "object";
  if (value.is_array()) return "array";
  const bool whole = value.is_number_integer() ||
                     value.get<double>() == std::floor(value.get<double>());
  return whole ? "integer" : "number";
}

bool IsType(const json& value, const std::string& type) {
  const std::string name = TypeName(value);
  return name == type || (type == "number" && name == "integer");
}

std::string Verb(Matcher::Op op) {
  switch (op) {
    case Matcher::OP_EQ:
      return "to equal";
    case Matcher::OP_NE:
      return "to differ from";
    case Matcher::OP_GT:
      return "to be more than";
    case Matcher::OP_GTE:
      return "to be at least";
    case Matcher::OP_LT:
      return "to be less than";
    case Matcher::OP_LTE:
      return "to be at most";
    case Matcher::OP_IN:
      return "to be one of";
    case Matcher::OP_MATCHES:
      return "to match";
    case Matcher::OP_CONTAINS:
      return "to contain";
    case Matcher::OP_STARTS:
      return "to start with";
    case Matcher::OP_ENDS:
      return "to end with";
    case Matcher::OP_TYPE:
      return "to have the type";
    case Matcher::OP_COUNT:
      return "to have a number of nodes that is";
    case Matcher::OP_LEN:
      return "to have a length";
    case Matcher::OP_NOT:
      return "not";
    case Matcher::OP_ALL:
      return "to have only elements";
    case Matcher::OP_ANY:
      return "to have an element";
    default:
      return "to be";
  }
}

bool StatusEquals(const json& operand, const json& value) {
  if (!operand.is_string()) return operand == value;
  const auto& text = operand.get_ref<const std::string&>();
  if (!value.is_number_integer()) return false;
  const std::string status = std::to_string(value.get<int>());
  if (text.size() == 3 && text.ends_with("xx")) return status[0] == text[0];
  return text == status;
}

// Nothing for values that have no order between them.
std::optional<int> Order(const json& a, const json& b) {
  const bool comparable =
      (a.is_number() && b.is_number()) || (a.is_string() && b.is_string());
  if (!comparable) return std::nullopt;
  return a < b ? -1 : b < a ? 1 : 0;
}

bool Contains(const json& value, const json& part) {
  if (value.is_string()) {
    return part.is_string() &&
           value.get_ref<const std::string&>().find(
               part.get_ref<const std::string&>()) != std::string::npos;
  }
  if (value.is_array()) {
    return std::find(value.begin(), value.end(), part) != value.end();
  }
  return value.is_object() && part.is_object() && Includes(value, part);
}

// "of 3" from "to equal 3", "of at least 3" from "to be at least 3".
std::string Amount(const std::string& expected) {
  for (const std::string_view verb : {"to equal ", "to be "}) {
    if (expected.starts_with(verb)) {
      return "of " + expected.substr(verb.size());
    }
  }
  return expected;
}

// One matcher against one value.
class Judge {
 public:
  Judge(const Matching& matching, const Matcher& matcher,
        const std::string& where)
      : matching_(matching), matcher_(matcher), where_(where) {}

  std::optional<Mismatch> Run(const json* value) {
    if (!matcher_.operand_json().empty()) {
      auto operand =
          suite::ExpandJsonText(matcher_.operand_json(), matching_.scope);
      if (!operand) {
        return Wrong(Verb(matcher_.op()) + " " + matcher_.operand_json(),
                     "but " + operand.error().message);
      }
      operand_ = *std::move(operand);
    }
    if (matcher_.op() == Matcher::OP_EXISTS) {
      const bool wanted = operand_ != false;
      if ((value != nullptr) == wanted) return std::nullopt;
      return Wrong(wanted ? "to exist" : "not to exist", Got(value));
    }
    if (value == nullptr) return Wrong(Described(), Got(value));
    switch (matcher_.op()) {
      case Matcher::OP_LEN:
        return Length(*value);
      case Matcher::OP_NOT:
        return Not(*value);
      case Matcher::OP_ALL:
      case Matcher::OP_ANY:
        return Elements(*value);
      case Matcher::OP_MATCHES:
        return Regex(*value);
      default:
        break;
    }
    if (Holds(*value)) return std::nullopt;
    std::optional<Mismatch> wrong = Wrong(Described(), Got(value));
    if (matcher_.op() == Matcher::OP_EQ) {
      wrong->diff = Diff(operand_, *value);
      if (!matching_.status && operand_.type() != value->type() &&
          !value->is_structured() &&
          !(operand_.is_number() && value->is_number())) {
        wrong->actual = "got the " + TypeName(*value) + " " + JsonText(*value);
      }
    }
    return wrong;
  }

 private:
  std::optional<Mismatch> Wrong(std::string expected, std::string actual) {
    return Mismatch{std::move(expected), std::move(actual), where_, "",
                    matcher_.position()};
  }

  std::string Described() const {
    if (matcher_.inner_size() > 0) {
      std::string text = Verb(matcher_.op());
      for (const Matcher& inner : matcher_.inner()) {
        text += " " + Verb(inner.op()) + " " + inner.operand_json();
      }
      return text;
    }
    const std::string operand = matching_.status && operand_.is_string()
                                    ? operand_.get<std::string>()
                                    : JsonText(operand_);
    return Verb(matcher_.op()) + " " + operand;
  }

  bool Equals(const json& operand, const json& value) const {
    return matching_.status ? StatusEquals(operand, value) : operand == value;
  }

  bool Holds(const json& value) const {
    const std::optional<int> order = Order(value, operand_);
    switch (matcher_.op()) {
      case Matcher::OP_EQ:
        return Equals(operand_, value);
      case Matcher::OP_NE:
        return !Equals(operand_, value);
      case Matcher::OP_GT:
        return order && *order > 0;
      case Matcher::OP_GTE:
        return order && *order >= 0;
      case Matcher::OP_LT:
        return order && *order < 0;
      case Matcher::OP_LTE:
        return order && *order <= 0;
      case Matcher::OP_IN:
        return operand_.is_array() &&
               std::any_of(operand_.begin(), operand_.end(),
                           [&](const json& one) { return Equals(one, value); });
      case Matcher::OP_CONTAINS:
        return Contains(value, operand_);
      case Matcher::OP_STARTS:
      case Matcher::OP_ENDS: {
        if (!value.is_string() || !operand_.is_string()) return false;
        const auto& text = value.get_ref<const std::string&>();
        const auto& part = operand_.get_ref<const std::string&>();
        return matcher_.op() == Matcher::OP_STARTS ? text.starts_with(part)
                                                   : text.ends_with(part);
      }
      case Matcher::OP_TYPE:
        return operand_.is_string() &&
               IsType(value, operand_.get<std::string>());
      default:
        return false;
    }
  }

  std::optional<Mismatch> Regex(const json& value) {
    if (!operand_.is_string()) return Wrong(Described(), Got(&value));
    RE2::Options options;
    options.set_log_errors(false);
    const RE2 pattern(operand_.get<std::string>(), options);
    if (!pattern.ok()) {
      return Wrong(Described(), "but that is no pattern: " + pattern.error());
    }
    if (value.is_string() &&
        RE2::PartialMatch(value.get_ref<const std::string&>(), pattern)) {
      return std::nullopt;
    }
    return Wrong(Described(), Got(&value));
  }

  std::optional<Mismatch> Length(const json& value) {
    if (!value.is_string() && !value.is_structured()) {
      return Wrong("to have a length", Got(&value));
    }
    const json length =
        value.is_string()
            ? suite::CodePoints(value.get_ref<const std::string&>())
            : value.size();
    auto wrong = matching_.Value(matcher_.inner(), &length, where_);
    if (wrong) {
      wrong->expected = "to have a length " + Amount(wrong->expected);
      wrong->actual = "got " + JsonText(length) + ": " + JsonText(value);
    }
    return wrong;
  }

  std::optional<Mismatch> Not(const json& value) {
    const Matching& matching = matching_;
    if (matching.Value(matcher_.inner(), &value, where_)) return std::nullopt;
    return Wrong(Described(), Got(&value));
  }

  std::optional<Mismatch> Elements(const json& value) {
    if (!value.is_array()) {
      return Wrong("to be an array", "got " + JsonText(value));
    }
    std::vector<suite::PathNode> nodes;
    nodes.reserve(value.size());
    for (std::size_t i = 0; i < value.size(); ++i) {
      nodes.push_back({where_ + "[" + std::to_string(i) + "]", &value[i]});
    }
    Matchers alone;
    *alone.Add() = matcher_;
    return matching_.Nodes(alone, nodes);
  }

  const Matching& matching_;
  const Matcher& matcher_;
  const std::string& where_;
  json operand_;
};

// One matcher against a nodelist.
std::optional<Mismatch> JudgeNodes(const Matching& matching,
                                   const Matcher& matcher,
                                   const std::vector<suite::PathNode>& nodes) {
  const auto wrong = [&](std::string expected, std::string actual) {
    return Mismatch{std::move(expected), std::move(actual), "", "",
                    matcher.position()};
  };
  const std::string count = std::to_string(nodes.size());
  switch (matcher.op()) {
    case Matcher::OP_COUNT: {
      const json number = nodes.size();
      auto mismatch = matching.Value(matcher.inner(), &number, "");
      if (mismatch)
        mismatch->expected = "to have a count " + Amount(mismatch->expected);
      return mismatch;
    }
    case Matcher::OP_EXISTS: {
      const bool wanted = matcher.operand_json() != "false";
      if (nodes.empty() != wanted) return std::nullopt;
      return wrong(wanted ? "to exist" : "not to exist",
                   "got " + count + " nodes");
    }
    case Matcher::OP_ALL: {
      if (nodes.empty()) {
        return wrong("to have elements, all as described", "got none");
      }
      for (const suite::PathNode& node : nodes) {
        auto mismatch = matching.Value(matcher.inner(), node.value, node.path);
        if (mismatch) {
          mismatch->expected = "all " + mismatch->expected;
          return mismatch;
        }
      }
      return std::nullopt;
    }
    case Matcher::OP_ANY:
    case Matcher::OP_CONTAINS: {
      Matcher equal = matcher;
      equal.set_op(Matcher::OP_EQ);
      Matchers inner;
      if (matcher.op() == Matcher::OP_ANY) {
        inner = matcher.inner();
      } else {
        *inner.Add() = equal;
      }
      std::optional<Mismatch> last;
      for (const suite::PathNode& node : nodes) {
        last = matching.Value(inner, node.value, node.path);
        if (!last) return std::nullopt;
      }
      std::string values;
      for (const suite::PathNode& node : nodes) {
        if (values.size() > 200) break;
        values += (values.empty() ? "" : ", ") + JsonText(*node.value, 80);
      }
      return wrong(
          last ? "to have one " + last->expected : "to have an element",
          nodes.empty() ? "got none" : "got " + suite::Shorten(values, 200));
    }
    default:
      return wrong("to be a single value", "got " + count + " nodes");
  }
}

std::string DiffLine(char sign, const std::string& path, const json& value) {
  std::string line(1, sign);
  line.append(" ").append(path).append(": ").append(JsonText(value, 80));
  return line;
}

void DiffInto(const json& expected, const json& actual, const std::string& path,
              std::vector<std::string>& lines);

void DiffObjects(const json& expected, const json& actual,
                 const std::string& path, std::vector<std::string>& lines) {
  const auto below = [&](const std::string& name) {
    return std::string(path).append(".").append(name);
  };
  for (const auto& [name, value] : expected.items()) {
    const auto it = actual.find(name);
    if (it == actual.end()) {
      lines.push_back(DiffLine('-', below(name), value));
    } else {
      DiffInto(value, *it, below(name), lines);
    }
  }
  for (const auto& [name, value] : actual.items()) {
    if (!expected.contains(name)) {
      lines.push_back(DiffLine('+', below(name), value));
    }
  }
}

void DiffInto(const json& expected, const json& actual, const std::string& path,
              std::vector<std::string>& lines) {
  if (expected == actual || lines.size() >= 20) return;
  if (expected.is_object() && actual.is_object()) {
    return DiffObjects(expected, actual, path, lines);
  }
  if (!expected.is_array() || !actual.is_array()) {
    lines.push_back(DiffLine('-', path, expected));
    lines.push_back(DiffLine('+', path, actual));
    return;
  }
  for (std::size_t i = 0; i < std::max(expected.size(), actual.size()); ++i) {
    const std::string at = path + "[" + std::to_string(i) + "]";
    if (i >= actual.size()) {
      lines.push_back(DiffLine('-', at, expected[i]));
    } else if (i >= expected.size()) {
      lines.push_back(DiffLine('+', at, actual[i]));
    } else {
      DiffInto(expected[i], actual[i], at, lines);
    }
    if (lines.size() >= 20) return;
  }
}

}  // namespace

std::optional<Mismatch> Matching::Value(const Matchers& matchers,
                                        const json* value,
                                        const std::string& where) const {
  for (const Matcher& matcher : matchers) {
    if (auto wrong = Judge(*this, matcher, where).Run(value)) return wrong;
  }
  return std::nullopt;
}

std::optional<Mismatch> Matching::Nodes(
    const Matchers& matchers, const std::vector<suite::PathNode>& nodes) const {
  for (const Matcher& matcher : matchers) {
    if (auto wrong = JudgeNodes(*this, matcher, nodes)) return wrong;
  }
  return std::nullopt;
}

std::string Diff(const json& expected, const json& actual) {
  if (!expected.is_structured() || !actual.is_structured()) return "";
  std::vector<std::string> lines;
  DiffInto(expected, actual, "$", lines);
  constexpr std::size_t kMaxLines = 10;
  std::string text;
  for (std::size_t i = 0; i < std::min(lines.size(), kMaxLines); ++i) {
    text += lines[i] + "\n";
  }
  if (lines.size() > kMaxLines) text += "...\n";
  return text;
}

bool Includes(const json& value, const json& part) {
  if (part.is_object() && value.is_object()) {
    return std::all_of(
        part.items().begin(), part.items().end(), [&](const auto& member) {
          const auto it = value.find(member.key());
          return it != value.end() && Includes(*it, member.value());
        });
  }
  if (part.is_array() && value.is_array() && part.size() == value.size()) {
    return std::equal(
        part.begin(), part.end(), value.begin(),
        [](const json& p, const json& v) { return Includes(v, p); });
  }
  return value == part;
}

}  // namespace assay::assertions
