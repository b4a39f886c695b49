#include "services/cli/trace_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr std::uint64_t kMs = 1'000'000;

class TraceTreeTest : public testing::Test {
 protected:
  otlp::v1::Span& Add(const std::string& id, const std::string& parent,
                      const std::string& name, std::uint64_t start_ms,
                      std::uint64_t duration_ms) {
    auto* span = spans().add_spans();
    span->set_span_id(id);
    span->set_parent_span_id(parent);
    span->set_name(name);
    span->set_start_time_unix_nano(start_ms * kMs);
    span->set_end_time_unix_nano((start_ms + duration_ms) * kMs);
    return *span;
  }
  void AddSql(const std::string& id, const std::string& parent,
              const std::string& sql, std::uint64_t start_ms) {
    auto* attribute = Add(id, parent, "query", start_ms, 2).add_attributes();
    attribute->set_key("db.query.text");
    attribute->mutable_value()->set_string_value(sql);
  }
  otlp::v1::ScopeSpans& spans() {
    if (response_.resource_spans_size() == 0) {
      response_.add_resource_spans()->add_scope_spans();
    }
    return *response_.mutable_resource_spans(0)->mutable_scope_spans(0);
  }
  std::vector<std::string> Lines(bool errors_only = false) {
    return TreeLines(BuildTrace(response_), {.errors_only = errors_only});
  }

  v1::GetTraceResponse response_;
};

TEST_F(TraceTreeTest, ChildrenStandBelowTheirParentInOrderOfStart) {
  Add("c", "a", "ready", 30, 5);
  Add("b", "a", "build", 10, 20);
  Add("a", "", "run", 0, 50);
  Add("d", "b", "make", 11, 3);
  EXPECT_THAT(Lines(), ElementsAre("run  50 ms", "├─ build  20 ms",
                                   "│  └─ make  3 ms", "└─ ready  5 ms"));
}

TEST_F(TraceTreeTest, TheSameStatementAgainAndAgainIsOneLine) {
  Add("a", "", "GET /orders", 0, 90);
  for (int i = 0; i < 20; ++i) {
    AddSql("s" + std::to_string(i), "a", "select * from orders where id = $1",
           static_cast<std::uint64_t>(i) * 3);
  }
  EXPECT_THAT(
      Lines(),
      ElementsAre("GET /orders  90 ms",
                  "└─ select * from orders where id = $1  × 20  40 ms"));
  const auto uses = Statements(BuildTrace(response_));
  ASSERT_THAT(uses, SizeIs(1));
  EXPECT_EQ(uses[0].count, 20);
  EXPECT_EQ(uses[0].longest_ns, 2 * kMs);
}

TEST_F(TraceTreeTest, ManyRequestsAlikeAreShownByTheSlowest) {
  Add("a", "", "burst", 0, 90);
  for (int i = 0; i < 5; ++i) {
    const std::string id = "r" + std::to_string(i);
    Add(id, "a", "POST /orders", static_cast<std::uint64_t>(i),
        i == 3 ? 40 : 10);
    AddSql(id + "s", id, "statement " + std::to_string(i), 5);
  }
  EXPECT_THAT(Lines(),
              ElementsAre("burst  90 ms",
                          "└─ POST /orders  × 5  80 ms, the slowest 40 ms",
                          "   └─ statement 3  2 ms"));
  EXPECT_THAT(TreeLines(BuildTrace(response_), {.all = true}), SizeIs(11));
}

TEST_F(TraceTreeTest, DepthLimitsTheLevels) {
  Add("a", "", "run", 0, 9);
  Add("b", "a", "checks", 0, 8);
  Add("c", "b", "deep", 0, 7);
  EXPECT_THAT(TreeLines(BuildTrace(response_), {.depth = 2}),
              ElementsAre("run  9 ms", "└─ checks  8 ms"));
}

TEST_F(TraceTreeTest, FindsACheckBelowItsPhase) {
  Add("a", "", "run", 0, 9);
  Add("b", "a", "few-queries", 0, 8);
  const auto roots = BuildTrace(response_);
  ASSERT_NE(Find(roots, "few-queries"), nullptr);
  EXPECT_EQ(Find(roots, "few-queries")->duration_ns, 8 * kMs);
  EXPECT_EQ(Find(roots, "other"), nullptr);
}

TEST_F(TraceTreeTest, ErrorsOnlyKeepsTheWayToThem) {
  Add("a", "", "run", 0, 50);
  Add("b", "a", "fine", 1, 1);
  Add("c", "a", "check", 2, 9);
  auto& failed = Add("d", "c", "GET /x", 3, 4);
  failed.mutable_status()->set_code(otlp::v1::SpanStatus::STATUS_CODE_ERROR);
  failed.mutable_status()->set_message("expected 200");
  EXPECT_THAT(Lines(true), ElementsAre("run  50 ms", "└─ check  9 ms",
                                       "   └─ GET /x  4 ms  ✗ expected 200"));
}

TEST_F(TraceTreeTest, SpansThatAreEachOthersParentsAreShownOnce) {
  Add("a", "b", "first", 0, 1);
  Add("b", "a", "second", 1, 1);
  Add("c", "c", "own parent", 2, 1);
  EXPECT_THAT(Lines(), SizeIs(3));
}

TEST_F(TraceTreeTest, NamesFromCandidatesAreMadePrintable) {
  Add("a", "", "\x1b[2Jcleared", 0, 1);
  EXPECT_THAT(Lines(), ElementsAre("[2Jcleared  1 ms"));
}

TEST_F(TraceTreeTest, SpanThatEndsBeforeItStartsHasNoDuration) {
  auto& span = Add("a", "", "odd", 9, 0);
  span.set_end_time_unix_nano(1);
  EXPECT_THAT(Lines(), ElementsAre("odd  0 s"));
}

}  // namespace
}  // namespace assay::cli
