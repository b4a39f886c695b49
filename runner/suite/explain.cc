#include "runner/suite/explain.h"

#include <cstdio>

#include "runner/suite/builder.h"
#include "runner/suite/explain_step.h"
#include "runner/suite/nearest.h"
#include "runner/suite/units.h"
#include "runner/suite/utf8.h"

namespace assay::suite {
namespace {

using google::protobuf::RepeatedPtrField;
using plan::v1::Matcher;
using plan::v1::Plan;
using plan::v1::Step;

constexpr int kMaxFlowDepth = 16;

std::string Time(const google::protobuf::Duration& duration) {
  return DurationText(FromProto(duration));
}

std::string Points(double points) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%g", points);
  return std::string(buffer) + (points == 1 ? " point" : " points");
}

std::string Word(Matcher::Op op) {
  switch (op) {
    case Matcher::OP_EQ:
      return "is";
    case Matcher::OP_NE:
      return "is not";
    case Matcher::OP_GT:
      return "is more than";
    case Matcher::OP_GTE:
      return "is at least";
    case Matcher::OP_LT:
      return "is less than";
    case Matcher::OP_LTE:
      return "is at most";
    case Matcher::OP_IN:
      return "is one of";
    case Matcher::OP_MATCHES:
      return "matches";
    case Matcher::OP_CONTAINS:
      return "contains";
    case Matcher::OP_STARTS:
      return "starts with";
    case Matcher::OP_ENDS:
      return "ends with";
    case Matcher::OP_TYPE:
      return "has the type";
    case Matcher::OP_COUNT:
      return "has a count that";
    case Matcher::OP_LEN:
      return "has a length that";
    case Matcher::OP_NOT:
      return "does not hold that it";
    case Matcher::OP_ALL:
      return "has only elements each of which";
    case Matcher::OP_ANY:
      return "has an element that";
    default:
      return "exists";
  }
}

std::string MatcherText(const Matcher& matcher) {
  if (matcher.op() == Matcher::OP_EXISTS) {
    return matcher.operand_json() == "false" ? "does not exist" : "exists";
  }
  std::string text = Word(matcher.op());
  if (matcher.inner_size() == 0) {
    return text + " " + Shorten(matcher.operand_json(), 100);
  }
  std::vector<std::string> inner;
  for (const Matcher& one : matcher.inner()) inner.push_back(MatcherText(one));
  return text + " " + JoinNames(inner);
}

class Explainer {
 public:
  explicit Explainer(const Plan& plan) : plan_(plan) {}

  std::string Check(const plan::v1::Check& check) {
    text_ = check.id() + ": " + check.title() + "\n" + Worth(check) + "\n";
    for (const plan::v1::Case& one : check.cases()) {
      text_ += "Case: " + one.name() + "\n";
    }
    text_ += "\n";
    Steps(check.steps(), "", 0);
    return text_;
  }

 private:
  std::string Worth(const plan::v1::Check& check) const {
    std::string text = Points(check.points());
    if (check.bonus()) text += " of bonus";
    if (check.claimed()) text += ", claimed: shown and never scored";
    if (check.partial() && check.cases_size() > 0) {
      text += ", shared by " + std::to_string(check.cases_size()) + " cases";
    }
    text += check.hidden() ? "; hidden" : "; public";
    text += "; ends after " + Time(check.timeout());
    for (const std::string& need : check.needs()) {
      text += "; only after " + need + " passed";
    }
    return text + ".";
  }

  void Steps(const RepeatedPtrField<Step>& steps, const std::string& prefix,
             int depth) {
    int number = 0;
    for (const Step& step : steps) {
      const std::string label = prefix + std::to_string(++number);
      text_ += label + ". " + step.title() + Place(step) + "\n";
      Inside(step, label, depth);
    }
  }

  std::string Place(const Step& step) const {
    const std::string file = step.position().file().empty()
                                 ? plan_.source_name()
                                 : step.position().file();
    return "  (" + file + ":" + std::to_string(step.position().line()) + ")";
  }

  void Inside(const Step& step, const std::string& label, int depth) {
    for (const std::string& sentence : StepSentences(step)) {
      text_ += "     " + sentence + "\n";
    }
    if (depth >= kMaxFlowDepth) return;
    Steps(step.burst().steps(), label + ".", depth + 1);
    if (!step.has_use()) return;
    const auto flow = plan_.flows().find(step.use().flow());
    if (flow == plan_.flows().end()) return;
    Steps(flow->second.steps(), label + ".", depth + 1);
  }

  const Plan& plan_;
  std::string text_;
};

}  // namespace

std::string ExpectationText(const plan::v1::Expectation& expectation,
                            std::string_view what) {
  std::vector<std::string> parts;
  for (const Matcher& matcher : expectation.matchers()) {
    parts.push_back(MatcherText(matcher));
  }
  return std::string(what) + " " + JoinNames(parts);
}

Expected<std::string> ExplainCheck(const Plan& plan,
                                   std::string_view check_id) {
  std::vector<std::string> ids;
  for (const plan::v1::Check& check : plan.checks()) {
    if (check.id() == check_id) return Explainer(plan).Check(check);
    ids.push_back(check.id());
  }
  const std::string hint = DidYouMean(check_id, ids);
  return NotFound("there is no check \"", check_id, "\"",
                  hint.empty() ? "; there are " + JoinNames(ids) : hint);
}

}  // namespace assay::suite
