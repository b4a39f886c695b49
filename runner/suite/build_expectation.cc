#include <cmath>

#include "runner/suite/builder.h"
#include "runner/suite/jsonpath.h"
#include "runner/suite/units.h"

namespace assay::suite {
namespace {

using nlohmann::json;
using Matcher = plan::v1::Matcher;

json Whole(double value) {
  if (value == std::floor(value) && std::fabs(value) < 1e15) {
    return static_cast<std::int64_t>(value);
  }
  return value;
}

bool IsTemplate(const Node& node) {
  return node.text.find("{{") != std::string::npos;
}

}  // namespace

std::string Builder::Operand(const Node& node, Subject subject) {
  NoteTemplates(node);
  if (node.kind == Node::Kind::kList) {
    if (subject == Subject::kValue || subject == Subject::kNodes) {
      return ToJson(node).dump();
    }
    json list = json::array();
    for (const auto& item : node.items) {
      list.push_back(json::parse(Operand(*item, subject), nullptr, false));
    }
    return list.dump();
  }
  if (subject == Subject::kText ||
      (IsTemplate(node) && node.kind == Node::Kind::kScalar)) {
    return json(node.text).dump();
  }
  switch (subject) {
    case Subject::kDuration:
      return Whole(
                 static_cast<double>(ParseDuration(node.text)
                                         .value_or(std::chrono::microseconds(0))
                                         .count()) /
                 1000)
          .dump();
    case Subject::kFraction:
      return json(ParsePercentage(node.text).value_or(0)).dump();
    default:
      return ToJson(node).dump();
  }
}

plan::v1::Expectation Builder::Expect(const Node& node, Subject subject) {
  plan::v1::Expectation expectation;
  *expectation.mutable_position() = At(node.at);
  if (node.kind == Node::Kind::kMap) {
    for (const Node::Entry& entry : node.entries) {
      if (validator_.Good(*entry.value)) {
        *expectation.add_matchers() = MatcherOf(entry, subject);
      }
    }
    return expectation;
  }
  Matcher& matcher = *expectation.add_matchers();
  const bool list =
      node.kind == Node::Kind::kList && subject == Subject::kStatus;
  matcher.set_op(list ? Matcher::OP_IN : Matcher::OP_EQ);
  matcher.set_operand_json(Operand(node, subject));
  *matcher.mutable_position() = At(node.at);
  return expectation;
}

plan::v1::Matcher Builder::MatcherOf(const Node::Entry& entry,
                                     Subject subject) {
  Matcher matcher;
  const Matcher::Op op = FindMatcher(entry.key)->op;
  matcher.set_op(op);
  *matcher.mutable_position() = At(entry.key_at);
  Subject inner = subject;
  switch (op) {
    case Matcher::OP_COUNT:
    case Matcher::OP_LEN:
      inner = Subject::kNumber;
      break;
    case Matcher::OP_ALL:
    case Matcher::OP_ANY:
      inner = Subject::kValue;
      break;
    case Matcher::OP_NOT:
      break;
    case Matcher::OP_MATCHES:
    case Matcher::OP_STARTS:
    case Matcher::OP_ENDS:
    case Matcher::OP_TYPE:
      matcher.set_operand_json(Operand(*entry.value, Subject::kText));
      return matcher;
    case Matcher::OP_EXISTS:
      matcher.set_operand_json(ToJson(*entry.value).dump());
      return matcher;
    default:
      matcher.set_operand_json(Operand(*entry.value, subject));
      return matcher;
  }
  *matcher.mutable_inner() = Expect(*entry.value, inner).matchers();
  return matcher;
}

void Builder::QueriesOf(const Node& map, std::string_view key, QueryList& out) {
  for (const Node::Entry* entry : Entries(map, key)) {
    const auto path = JsonPath::Parse(entry->key);
    if (!path) continue;
    plan::v1::Query& query = *out.Add();
    query.set_path(entry->key);
    query.set_singular(path->singular());
    *query.mutable_expectation() = Expect(
        *entry->value, path->singular() ? Subject::kValue : Subject::kNodes);
    *query.mutable_position() = At(entry->key_at);
  }
}

}  // namespace assay::suite
