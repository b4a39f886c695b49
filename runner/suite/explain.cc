#include "runner/suite/explain.h"

#include <cstdio>

#include "runner/suite/builder.h"
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
      Details(step, label, depth);
    }
  }

  std::string Place(const Step& step) const {
    const std::string file = step.position().file().empty()
                                 ? plan_.source_name()
                                 : step.position().file();
    return "  (" + file + ":" + std::to_string(step.position().line()) + ")";
  }

  void Say(const std::string& sentence) { text_ += "     " + sentence + "\n"; }

  void Details(const Step& step, const std::string& label, int depth) {
    if (step.has_http()) Http(step.http());
    if (step.has_sql()) Sql(step.sql());
    if (step.has_use()) Flow(step.use(), label, depth);
    if (step.has_burst()) Burst(step.burst(), label, depth);
    if (step.has_load()) Load(step.load());
    if (step.has_redis() && step.redis().has_expect()) {
      Say("expects: " + ExpectationText(step.redis().expect(), "the reply"));
    }
    if (step.has_trace() && step.trace().has_queries_per_request()) {
      Say("expects: " + ExpectationText(step.trace().queries_per_request(),
                                        "the number of statements"));
    }
    if (step.trace().has_sequential_scans()) {
      const auto& scans = step.trace().sequential_scans();
      Say(std::string(scans.enforced() ? "expects: no" : "advises on a") +
          " statement that reads a table of more than " +
          std::to_string(scans.over()) + " rows from end to end");
    }
    if (step.restart().has_traffic()) Crash(step.restart());
    if (step.has_logs()) Logs(step.logs());
    if (step.has_fault()) {
      Say(step.fault().action() + " " + step.fault().argument_json());
    }
    if (step.has_eventually()) {
      Say("repeated for " + Time(step.eventually().within()) + ", every " +
          Time(step.eventually().every()));
    }
    if (step.has_unsupported()) Say("not executed by this build");
  }

  void Crash(const plan::v1::RestartStep& step) {
    const auto& traffic = step.traffic();
    Say("killed when " + std::to_string(traffic.acknowledged()) + " of " +
        std::to_string(traffic.times()) + " requests are acknowledged, " +
        std::to_string(traffic.at_once()) + " at a time: " +
        traffic.request().method() + " " + traffic.request().path());
    if (step.has_history()) {
      Say("expects: every acknowledged " + step.history().id() +
          " to be there afterwards, and nothing twice");
    }
  }

  void Http(const plan::v1::HttpStep& http) {
    switch (http.body_case()) {
      case plan::v1::HttpStep::kJson:
        Say("sends " + Shorten(http.json(), 160));
        break;
      case plan::v1::HttpStep::kText:
        Say("sends " + Shorten(http.text(), 160));
        break;
      case plan::v1::HttpStep::kFile:
        Say("sends the file " + http.file());
        break;
      default:
        break;
    }
    if (http.has_expect()) Expect(http.expect());
    for (const plan::v1::Capture& capture : http.captures()) {
      Say("remembers " + capture.name() +
          (capture.secret() ? ", a secret" : ""));
    }
  }

  void Expect(const plan::v1::HttpExpect& expect) {
    if (expect.has_status()) {
      Say("expects: " + ExpectationText(expect.status(), "status"));
    }
    for (const plan::v1::Named& header : expect.headers()) {
      Say("expects: " +
          ExpectationText(header.expectation(), "header " + header.name()));
    }
    for (const plan::v1::Query& query : expect.json()) {
      Say("expects: " + ExpectationText(query.expectation(), query.path()));
    }
    if (!expect.schema().empty()) Say("expects: fits " + expect.schema());
    if (expect.has_body()) {
      Say("expects: " + ExpectationText(expect.body(), "the body"));
    }
    if (expect.has_within()) {
      Say("expects: answered within " + Time(expect.within()));
    }
  }

  void Sql(const plan::v1::SqlStep& sql) {
    Say(Shorten(sql.statement(), 200));
    if (!sql.rows_json().empty()) {
      Say("expects: rows " + Shorten(sql.rows_json(), 160));
    }
    if (sql.has_count()) {
      Say("expects: " + ExpectationText(sql.count(), "the number of rows"));
    }
    for (const plan::v1::Query& query : sql.json()) {
      Say("expects: " + ExpectationText(query.expectation(), query.path()));
    }
  }

  void Flow(const plan::v1::UseStep& use, const std::string& label, int depth) {
    const auto flow = plan_.flows().find(use.flow());
    if (flow == plan_.flows().end() || depth >= kMaxFlowDepth) return;
    Steps(flow->second.steps(), label + ".", depth + 1);
  }

  void Burst(const plan::v1::BurstStep& burst, const std::string& label,
             int depth) {
    Say(std::to_string(burst.times()) + " times, " +
        std::to_string(burst.at_once()) + " at once");
    for (const auto& [status, count] : burst.statuses()) {
      Say("expects: " + std::to_string(count) + " answers with " + status);
    }
    if (depth < kMaxFlowDepth) Steps(burst.steps(), label + ".", depth + 1);
  }

  void Load(const plan::v1::LoadStep& load) {
    char rate[40];
    std::snprintf(rate, sizeof rate, "%g", load.rate());
    Say(std::string(rate) + " requests a second, " + load.arrivals() +
        ", for " + Time(load.duration()));
    for (const plan::v1::Named& figure : load.expect()) {
      Say("expects: " + ExpectationText(figure.expectation(), figure.name()));
    }
  }

  void Logs(const plan::v1::LogsStep& logs) {
    for (const std::string& secret : logs.forbid_secrets()) {
      Say("expects: " + secret + " is nowhere");
    }
    for (const std::string& pattern : logs.forbid_matches()) {
      Say("expects: nothing matches " + pattern);
    }
    for (const std::string& pattern : logs.require_matches()) {
      Say("expects: something matches " + pattern);
    }
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
