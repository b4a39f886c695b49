// What is expected: a scalar, or matchers that make sense for the subject.

#include <algorithm>
#include <cstdlib>

#include "runner/suite/nearest.h"
#include "runner/suite/template.h"
#include "runner/suite/units.h"
#include "runner/suite/utf8.h"
#include "runner/suite/validator.h"

namespace assay::suite {
namespace {

using Op = plan::v1::Matcher;

const std::vector<std::string> kTypes = {
    "string", "number", "integer", "boolean", "null", "object", "array"};

std::vector<std::string> MatcherNames(Subject subject) {
  std::vector<std::string> names;
  for (const MatcherRule& rule : Matchers()) {
    if (Allows(rule, subject)) names.push_back(rule.name);
  }
  return names;
}

bool IsTemplate(const Node& node) {
  return node.text.find("{{") != std::string::npos &&
         TemplateReferences(node.text).has_value();
}

bool IsStatus(const Node& node) {
  const std::string& text = node.text;
  if (text.size() != 3 || text[0] < '1' || text[0] > '5') return false;
  if (text.ends_with("xx")) return true;
  return text[1] >= '0' && text[1] <= '9' && text[2] >= '0' && text[2] <= '9';
}

bool IsScalar(const Node& node) {
  return node.kind == Node::Kind::kScalar || node.kind == Node::Kind::kNull;
}

}  // namespace

void Validator::CheckExpectation(const Node& node, Subject subject,
                                 Label label) {
  if (node.kind == Node::Kind::kMap) {
    if (node.entries.empty()) {
      Bad(node, std::string(label) + ": expected matchers, found none");
    }
    for (const Node::Entry& entry : node.entries) CheckMatcher(entry, subject);
    return;
  }
  if (subject == Subject::kNodes) {
    return Bad(node, std::string(label) +
                         " can yield several nodes, so that it takes count, "
                         "any, all, contains or exists: { any: ... }, found " +
                         Describe(node));
  }
  // No measurement equals a figure, so that a bare one cannot be meant.
  if (subject == Subject::kDuration || subject == Subject::kFraction) {
    return Bad(node, std::string(label) + ": expected a bound, like { lte: " +
                         (subject == Subject::kDuration ? "80ms" : "0.1%") +
                         " }, found " + Describe(node));
  }
  if (node.kind == Node::Kind::kList && subject == Subject::kStatus) {
    return CheckOperands(node, subject, label);
  }
  CheckOperand(node, subject, label);
}

void Validator::CheckOperands(const Node& list, Subject subject, Label label) {
  if (list.kind != Node::Kind::kList || list.items.empty()) {
    return Bad(list, std::string(label) + ": expected a list, found " +
                         (list.kind == Node::Kind::kList ? "an empty one"
                                                         : Describe(list)));
  }
  for (const auto& item : list.items) CheckOperand(*item, subject, label);
}

void Validator::CheckOperand(const Node& node, Subject subject, Label label) {
  const auto expected = [&](std::string_view what) {
    Bad(node, std::string(label) + ": expected " + std::string(what) +
                  ", found " + Describe(node));
  };
  if (subject == Subject::kValue || subject == Subject::kNodes) {
    return CheckJson(node);
  }
  if (!IsScalar(node)) return expected(SubjectText(subject));
  if (IsTemplate(node)) return;
  switch (subject) {
    case Subject::kStatus:
      if (!IsStatus(node)) {
        expected("a status like 201, or a class like 5xx");
      }
      return;
    case Subject::kNumber:
      if (TypeOf(node) != ScalarType::kInteger &&
          TypeOf(node) != ScalarType::kFloat) {
        expected("a number");
      }
      return;
    case Subject::kDuration:
      if (const auto parsed = ParseDuration(node.text); !parsed) {
        Bad(node, std::string(label) + ": " + parsed.error().message);
      }
      return;
    case Subject::kFraction:
      if (const auto parsed = ParsePercentage(node.text); !parsed) {
        Bad(node, std::string(label) + ": " + parsed.error().message);
      }
      return;
    default:
      if (node.kind == Node::Kind::kNull) return expected("a text");
      if (const auto parsed = TemplateReferences(node.text); !parsed) {
        Bad(node, parsed.error().message);
      }
      return;
  }
}

void Validator::CheckMatcher(const Node::Entry& entry, Subject subject) {
  const Node& operand = *entry.value;
  const MatcherRule* rule = FindMatcher(entry.key);
  const std::vector<std::string> names = MatcherNames(subject);
  if (rule == nullptr) {
    const std::string hint = DidYouMean(entry.key, names);
    return Bad(operand, entry.key_at,
               "unknown matcher \"" + Shorten(entry.key, 60) + "\"" +
                   (!hint.empty() ? hint
                    : subject == Subject::kValue
                        ? "; to compare with an object write { eq: { ... } }"
                        : "; " + SubjectText(subject) + " takes " +
                              JoinNames(names, "or")));
  }
  if (!Allows(*rule, subject)) {
    const bool length = rule->op == Op::OP_COUNT && subject == Subject::kValue;
    return Bad(operand, entry.key_at,
               "\"" + rule->name + "\" does not apply to " +
                   SubjectText(subject) +
                   (length ? "; the length of an array is \"len\""
                           : ", which takes " + JoinNames(names, "or")));
  }
  switch (rule->op) {
    case Op::OP_IN:
      return CheckOperands(operand, subject, entry.key);
    case Op::OP_MATCHES:
      return CheckShape(operand, {.type = Type::kRegex}, entry.key);
    case Op::OP_STARTS:
    case Op::OP_ENDS:
      return CheckShape(operand, {.type = Type::kTemplate}, entry.key);
    case Op::OP_TYPE:
      return CheckShape(operand, {.type = Type::kChoice, .choices = kTypes},
                        entry.key);
    case Op::OP_EXISTS:
      return CheckShape(operand, {.type = Type::kBool}, entry.key);
    case Op::OP_COUNT:
    case Op::OP_LEN:
      return CheckExpectation(operand, Subject::kNumber, entry.key);
    case Op::OP_NOT:
      return CheckExpectation(operand, subject, entry.key);
    case Op::OP_ALL:
    case Op::OP_ANY:
      return CheckExpectation(operand, Subject::kValue, entry.key);
    case Op::OP_GT:
    case Op::OP_GTE:
    case Op::OP_LT:
    case Op::OP_LTE:
      if (subject == Subject::kValue && !IsScalar(operand)) {
        return Bad(operand, entry.key +
                                ": expected a number or a text, found " +
                                Describe(operand));
      }
      return CheckOperand(operand, subject, entry.key);
    default:
      return CheckOperand(operand, subject, entry.key);
  }
}

}  // namespace assay::suite
