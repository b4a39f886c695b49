#include "runner/reports/export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runner/reports/import.h"
#include "runner/reports/run_words.h"
#include "runner/reports/span_tree.h"
#include "tests/testing/corpora.h"

namespace assay::reports {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

void AddSpan(otlp::v1::ResourceSpans& resource, const std::string& id,
             const std::string& parent, const std::string& name,
             std::uint64_t start_us, std::uint64_t end_us) {
  if (resource.scope_spans_size() == 0) resource.add_scope_spans();
  auto& span = *resource.mutable_scope_spans(0)->add_spans();
  span.set_span_id(id);
  span.set_parent_span_id(parent);
  span.set_name(name);
  span.set_start_time_unix_nano(1'000'000'000 + start_us * 1000);
  span.set_end_time_unix_nano(1'000'000'000 + end_us * 1000);
}

// A passed, a failed and a skipped check, with words of a hostile candidate.
RunReport Sample() {
  RunReport report;
  report.title = "Orders <API>";
  report.run.set_name("runs/run_1");
  report.run.set_commit("0123456789abcdef0123");
  report.run.set_plan_digest(std::string(64, 'd'));
  report.run.set_outcome(v1::Run::OUTCOME_COMPLETED);
  report.run.mutable_score()->set_earned(12.5);
  report.run.mutable_score()->set_max(21);
  auto& passed = *report.run.add_checks();
  passed.set_check_id("create");
  passed.set_title("Creating works");
  passed.set_verdict(v1::VERDICT_PASSED);
  passed.set_points(10);
  passed.set_earned(10);
  passed.mutable_duration()->set_nanos(42'000'000);
  auto& failed = *report.run.add_checks();
  failed.set_check_id("reject");
  failed.set_title("Bad input is rejected");
  failed.set_verdict(v1::VERDICT_FAILED);
  failed.set_reason("expected \"<script>alert(1)</script>\", got \x1b[31m|x|");
  failed.set_points(6);
  failed.set_earned(2.5);
  failed.set_hidden(true);
  failed.set_position("assay.yaml:41:5");
  auto& one = *failed.add_cases();
  one.set_name("zero");
  one.set_verdict(v1::VERDICT_PASSED);
  auto& two = *failed.add_cases();
  two.set_name("negative");
  two.set_verdict(v1::VERDICT_TIMED_OUT);
  two.set_reason("took long");
  auto& step = *failed.add_steps();
  step.set_title("POST /orders");
  step.set_verdict(v1::VERDICT_FAILED);
  step.set_reason("expected status 422, got 500");
  step.set_position("assay.yaml:44:9");
  auto& imported = *step.add_cases();
  imported.set_name("TestNegative");
  imported.set_verdict(v1::VERDICT_FAILED);
  auto& skipped = *report.run.add_checks();
  skipped.set_check_id("later");
  skipped.set_title("Later");
  skipped.set_verdict(v1::VERDICT_SKIPPED);
  skipped.set_points(5);
  report.phases = {{"build", true, "", 1.5}, {"checks", true, "", 0.2}};
  otlp::v1::ResourceSpans assay;
  auto& name = *assay.mutable_resource()->add_attributes();
  name.set_key("service.name");
  name.mutable_value()->set_string_value("assay");
  AddSpan(assay, "r", "", "run", 0, 1000);
  AddSpan(assay, "b", "r", "second", 500, 900);
  AddSpan(assay, "a", "r", "first", 100, 400);
  AddSpan(assay, "q", "a", "SELECT <1>", 150, 200);
  report.spans = {assay};
  return report;
}

TEST(ExportTest, JunitCanBeReadBack) {
  const std::string xml = ExportJunit(Sample());
  EXPECT_THAT(xml, Not(HasSubstr("<script>")));
  EXPECT_THAT(xml, Not(HasSubstr("\x1b")));
  const auto imported = ImportJunit(xml);
  ASSERT_TRUE(imported.has_value()) << imported.error() << xml;
  EXPECT_EQ(imported->total, 4);
  EXPECT_EQ(imported->passed, 2);
  EXPECT_EQ(imported->failed, 1);
  EXPECT_EQ(imported->skipped, 1);
  EXPECT_EQ(imported->cases[2].name, "reject.negative");
  EXPECT_EQ(imported->cases[2].message, "took long");
}

TEST(ExportTest, ARunThatEndedEarlyIsAnErrorInJunit) {
  RunReport report;
  report.title = "x";
  report.run.set_outcome(v1::Run::OUTCOME_BUILD_FAILED);
  report.run.set_outcome_reason("make: exit code 2");
  const auto imported = ImportJunit(ExportJunit(report));
  EXPECT_EQ(imported->errored, 1);
  EXPECT_EQ(imported->cases[0].message, "build failed: make: exit code 2");
}

TEST(ExportTest, CtrfCanBeReadBack) {
  const auto ctrf = ExportCtrf(Sample());
  EXPECT_EQ(ctrf["results"]["summary"]["tests"], 3);
  EXPECT_EQ(ctrf["results"]["summary"]["failed"], 1);
  const auto imported = ImportCtrf(
      ctrf.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  ASSERT_TRUE(imported.has_value());
  EXPECT_EQ(imported->passed, 1);
  EXPECT_EQ(imported->cases[0].name, "Orders <API> > create");
}

TEST(ExportTest, JsonHasScoresReasonsPhasesAndTheTrace) {
  const auto json = ExportJson(Sample());
  EXPECT_EQ(json["score"], 12.5);
  EXPECT_EQ(json["max"], 21);
  EXPECT_EQ(json["checks"][1]["verdict"], "failed");
  EXPECT_EQ(json["checks"][1]["steps"][0]["position"], "assay.yaml:44:9");
  EXPECT_EQ(json["checks"][1]["cases"][1]["verdict"], "timed_out");
  EXPECT_EQ(json["checks"][1]["steps"][0]["cases"][0]["name"], "TestNegative");
  EXPECT_EQ(json["phases"][0]["name"], "build");
  std::vector<std::string> names;
  for (const auto& row : json["trace"]) {
    names.push_back(std::string(row["depth"].get<int>(), ' ') +
                    row["name"].get<std::string>());
  }
  EXPECT_THAT(names, ElementsAre("run", " first", "  SELECT <1>", " second"));
}

TEST(ExportTest, MarkdownKeepsWordsOfOthersText) {
  const std::string text = ExportMarkdown(Sample());
  EXPECT_THAT(text, HasSubstr("**12.5 of 21 points** · commit `0123456789ab`"));
  EXPECT_THAT(text, HasSubstr("| ✅ | Creating works | 10 / 10 | 42ms |"));
  EXPECT_THAT(text, HasSubstr("Bad input is rejected *(hidden)* | 2.5 / 6"));
  EXPECT_THAT(text, HasSubstr("\\<script\\>alert\\(1\\)"));
  EXPECT_THAT(text, HasSubstr("- `assay.yaml:44:9` POST /orders"));
  EXPECT_THAT(text, HasSubstr("\\|x\\|"));
}

// Lines below a step's sentence are a diff.
TEST(ExportTest, ADiffIsShownBelowItsStepAndTheReasonOnce) {
  RunReport report = Sample();
  auto& check = *report.run.mutable_checks(1);
  check.clear_cases();
  check.set_reason("POST /orders: expected $ to equal {}, got {}");
  check.mutable_steps(0)->set_reason(
      "expected $ to equal {}, got {}\n- $.a: 1\n+ $.a: <b>\n");
  const std::string html = ExportHtml(report);
  EXPECT_THAT(html, HasSubstr("<span class=\"missing\">- $.a: 1</span>\n"
                              "<span class=\"added\">+ $.a: &lt;b&gt;</span>"));
  EXPECT_THAT(html, Not(HasSubstr("POST /orders: expected")));
  EXPECT_THAT(ExportJunit(report), HasSubstr("\n- $.a: 1\n+ $.a: &lt;b&gt;\n"));
}

TEST(ExportTest, HtmlIsOneFileThatRunsAndFetchesNothing) {
  const std::string html = ExportHtml(Sample());
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("http:")));
  EXPECT_THAT(html, Not(HasSubstr("https:")));
  EXPECT_THAT(html, Not(HasSubstr("\x1b")));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(1)"));
  EXPECT_THAT(html, HasSubstr("SELECT &lt;1&gt;"));
  EXPECT_THAT(html, HasSubstr("left:10.000%;width:30.000%"));
  // Failed checks are open, passed ones are folded.
  EXPECT_THAT(html, HasSubstr("<details id=\"reject\" open>"));
  EXPECT_THAT(html, HasSubstr("<details id=\"create\">"));
  EXPECT_THAT(html, HasSubstr(">TestNegative"));
}

TEST(SpanTreeTest, SurvivesCyclesOrphansAndLongChains) {
  otlp::v1::ResourceSpans resource;
  AddSpan(resource, "a", "b", "a", 0, 1);
  AddSpan(resource, "b", "a", "b", 0, 1);
  AddSpan(resource, "c", "gone", "orphan", 5, 4);
  AddSpan(resource, "self", "self", "self", 9, 10);
  std::string parent = "c";
  for (int i = 0; i < 50'000; ++i) {
    const std::string id = "chain" + std::to_string(i);
    AddSpan(resource, id, parent, "link", 6, 7);
    parent = id;
  }
  std::size_t dropped = 0;
  const std::vector<otlp::v1::ResourceSpans> spans = {resource};
  const auto rows = SpanRows(spans, 1000, &dropped);
  EXPECT_EQ(rows.size(), 1000u);
  EXPECT_EQ(dropped, 50'004u - 1000u);
  EXPECT_EQ(rows[0].span->name(), "orphan");
  EXPECT_EQ(rows[0].duration, 0);
}

}  // namespace
}  // namespace assay::reports
