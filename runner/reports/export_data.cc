// For machines: JUnit XML, CTRF, our own JSON.

#include <cstdio>

#include "proto/base/digest.h"
#include "runner/reports/export.h"
#include "runner/reports/run_words.h"
#include "runner/reports/span_tree.h"

namespace assay::reports {
namespace {

using Json = nlohmann::ordered_json;
using v1::CheckResult;

constexpr std::size_t kMaxSpans = 20'000;

std::string SecondsText(double seconds) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.3f", seconds);
  return buffer;
}

// The element inside a test case that says how it ended.
std::string JunitEnd(v1::Verdict verdict, const std::string& reason,
                     const std::string& details = "") {
  const std::string message = "message=\"" + EscapeMarkup(reason) + "\"";
  switch (verdict) {
    case v1::VERDICT_PASSED:
      return "/>\n";
    case v1::VERDICT_FAILED:
    case v1::VERDICT_TIMED_OUT:
      return "><failure type=\"" + VerdictWord(verdict) + "\" " + message +
             (details.empty() ? "/>"
                              : ">" + EscapeMarkup(details) + "</failure>") +
             "</testcase>\n";
    case v1::VERDICT_ERRORED:
    case v1::VERDICT_INCONCLUSIVE:
      return "><error type=\"" + VerdictWord(verdict) + "\" " + message +
             "/></testcase>\n";
    default:
      return "><skipped " + message + "/></testcase>\n";
  }
}

// Where it went wrong, with what was expected and what came.
std::string FailedStep(const CheckResult& check) {
  for (const CheckResult::Step& step : check.steps()) {
    if (step.verdict() == v1::VERDICT_PASSED || step.reason().empty()) continue;
    return step.position() + ": " + step.title() + "\n" + step.reason();
  }
  return "";
}

struct JunitCounts {
  int tests = 0;
  int failures = 0;
  int errors = 0;
  int skipped = 0;

  void Add(v1::Verdict verdict) {
    ++tests;
    if (verdict == v1::VERDICT_FAILED || verdict == v1::VERDICT_TIMED_OUT) {
      ++failures;
    } else if (verdict == v1::VERDICT_ERRORED ||
               verdict == v1::VERDICT_INCONCLUSIVE) {
      ++errors;
    } else if (verdict != v1::VERDICT_PASSED) {
      ++skipped;
    }
  }
};

std::string JunitCase(const std::string& owner, const std::string& name,
                      double seconds) {
  return "    <testcase classname=\"" + EscapeMarkup(owner) + "\" name=\"" +
         EscapeMarkup(name) + "\" time=\"" + SecondsText(seconds) + "\"";
}

const char* CtrfStatus(v1::Verdict verdict) {
  switch (verdict) {
    case v1::VERDICT_PASSED:
      return "passed";
    case v1::VERDICT_FAILED:
    case v1::VERDICT_TIMED_OUT:
      return "failed";
    case v1::VERDICT_SKIPPED:
      return "skipped";
    default:
      return "other";
  }
}

std::int64_t Millis(const google::protobuf::Timestamp& time) {
  return time.seconds() * 1000 + time.nanos() / 1'000'000;
}

Json CasesJson(
    const google::protobuf::RepeatedPtrField<CheckResult::Case>& cases) {
  Json json = Json::array();
  for (const CheckResult::Case& one : cases) {
    json.push_back({{"name", one.name()},
                    {"verdict", VerdictWord(one.verdict())},
                    {"reason", one.reason()}});
  }
  return json;
}

Json StepJson(const CheckResult::Step& step) {
  Json json = {{"title", step.title()},
               {"verdict", VerdictWord(step.verdict())},
               {"reason", step.reason()},
               {"position", step.position()},
               {"seconds", Seconds(step.duration())},
               {"span_id", step.span_id()}};
  // What a step imported, or its mutants.
  if (step.cases_size() > 0) json["cases"] = CasesJson(step.cases());
  return json;
}

Json CheckJson(const CheckResult& check) {
  Json json = {{"id", check.check_id()},
               {"title", check.title()},
               {"verdict", VerdictWord(check.verdict())},
               {"points", check.earned()},
               {"max", check.points()},
               {"bonus", check.bonus()},
               {"hidden", check.hidden()},
               {"reason", check.reason()},
               {"position", check.position()},
               {"seconds", Seconds(check.duration())},
               {"service_deaths", check.service_deaths()}};
  json["cases"] = CasesJson(check.cases());
  Json steps = Json::array();
  for (const CheckResult::Step& step : check.steps()) {
    steps.push_back(StepJson(step));
  }
  json["steps"] = std::move(steps);
  return json;
}

}  // namespace

std::string ExportJunit(const RunReport& report) {
  JunitCounts counts;
  std::string cases;
  double seconds = 0;
  for (const CheckResult& check : report.run.checks()) {
    seconds += Seconds(check.duration());
    if (check.cases_size() == 0) {
      counts.Add(check.verdict());
      cases += JunitCase(report.title, check.check_id() + ": " + check.title(),
                         Seconds(check.duration())) +
               JunitEnd(check.verdict(), check.reason(), FailedStep(check));
      continue;
    }
    for (const CheckResult::Case& one : check.cases()) {
      counts.Add(one.verdict());
      cases += JunitCase(check.check_id(), one.name(), 0) +
               JunitEnd(one.verdict(), one.reason());
    }
  }
  // A run that ended before its checks must not look like one without faults.
  if (report.run.outcome() != v1::Run::OUTCOME_COMPLETED) {
    counts.Add(v1::VERDICT_ERRORED);
    cases +=
        JunitCase(report.title, "the run", 0) +
        JunitEnd(v1::VERDICT_ERRORED, OutcomeText(report.run.outcome()) + ": " +
                                          report.run.outcome_reason());
  }
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  "
         "<testsuite name=\"" +
         EscapeMarkup(report.title) + "\" tests=\"" +
         std::to_string(counts.tests) + "\" failures=\"" +
         std::to_string(counts.failures) + "\" errors=\"" +
         std::to_string(counts.errors) + "\" skipped=\"" +
         std::to_string(counts.skipped) + "\" time=\"" + SecondsText(seconds) +
         "\">\n" + cases + "  </testsuite>\n</testsuites>\n";
}

nlohmann::ordered_json ExportCtrf(const RunReport& report) {
  Json tests = Json::array();
  int passed = 0;
  int failed = 0;
  int skipped = 0;
  int other = 0;
  for (const CheckResult& check : report.run.checks()) {
    const std::string status = CtrfStatus(check.verdict());
    ++(status == "passed"    ? passed
       : status == "failed"  ? failed
       : status == "skipped" ? skipped
                             : other);
    Json test = {{"name", check.check_id()},
                 {"status", status},
                 {"duration",
                  static_cast<std::int64_t>(Seconds(check.duration()) * 1000)},
                 {"suite", report.title}};
    if (!check.reason().empty()) test["message"] = check.reason();
    test["rawStatus"] = VerdictWord(check.verdict());
    test["extra"] = {{"title", check.title()},
                     {"points", check.earned()},
                     {"max", check.points()}};
    tests.push_back(std::move(test));
  }
  const Json summary = {{"tests", report.run.checks_size()},
                        {"passed", passed},
                        {"failed", failed},
                        {"pending", 0},
                        {"skipped", skipped},
                        {"other", other},
                        {"start", Millis(report.run.start_time())},
                        {"stop", Millis(report.run.finish_time())}};
  return {{"reportFormat", "CTRF"},
          {"specVersion", "0.0.0"},
          {"results",
           {{"tool", {{"name", "assay"}}},
            {"summary", summary},
            {"tests", std::move(tests)}}}};
}

nlohmann::ordered_json ExportJson(const RunReport& report) {
  Json json = {{"title", report.title},
               {"run", report.run.name()},
               {"commit", report.run.commit()},
               {"plan_digest", report.run.plan_digest()},
               {"outcome", OutcomeText(report.run.outcome())},
               {"reason", report.run.outcome_reason()},
               {"score", report.run.score().earned()},
               {"max", report.run.score().max()},
               {"bonus", report.run.score().bonus()}};
  Json checks = Json::array();
  for (const CheckResult& check : report.run.checks()) {
    checks.push_back(CheckJson(check));
  }
  json["checks"] = std::move(checks);
  Json phases = Json::array();
  for (const Phase& phase : report.phases) {
    phases.push_back({{"name", phase.name},
                      {"ok", phase.ok},
                      {"reason", phase.reason},
                      {"seconds", phase.seconds}});
  }
  json["phases"] = std::move(phases);
  std::size_t dropped = 0;
  Json trace = Json::array();
  for (const SpanRow& row : SpanRows(report.spans, kMaxSpans, &dropped)) {
    trace.push_back({{"name", row.span->name()},
                     {"service", row.service},
                     {"depth", row.depth},
                     {"start_us", row.start},
                     {"duration_us", row.duration},
                     {"span_id", ToHex(row.span->span_id())},
                     {"parent_id", ToHex(row.span->parent_span_id())}});
  }
  json["trace"] = std::move(trace);
  if (dropped > 0) json["trace_dropped"] = dropped;
  return json;
}

}  // namespace assay::reports
