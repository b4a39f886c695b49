#include "services/cli/evidence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/base/digest.h"

namespace assay::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kMs = 1'000'000;

class EvidenceTest : public testing::Test {
 protected:
  otlp::v1::Span& Add(const std::string& id, const std::string& parent,
                      const std::map<std::string, std::string>& attributes,
                      std::uint64_t start_ms = 0) {
    auto& scope =
        trace_.resource_spans_size() == 0
            ? *trace_.add_resource_spans()->add_scope_spans()
            : *trace_.mutable_resource_spans(0)->mutable_scope_spans(0);
    auto& span = *scope.add_spans();
    span.set_span_id(id);
    span.set_parent_span_id(parent);
    span.set_start_time_unix_nano(start_ms * kMs);
    span.set_end_time_unix_nano((start_ms + 2) * kMs);
    for (const auto& [key, value] : attributes) {
      auto& attribute = *span.add_attributes();
      attribute.set_key(key);
      attribute.mutable_value()->set_string_value(value);
    }
    return span;
  }
  void AddRequest(const std::string& id, const std::string& parent,
                  std::uint64_t start_ms = 0) {
    Add(id, parent, {{"http.request.method", "GET"}, {"url.path", "/" + id}},
        start_ms)
        .set_name("GET /" + id);
  }
  Evidence Of(const std::string& id) const {
    return EvidenceIndex(trace_).Of(ToHex(id));
  }
  static std::vector<std::string> Names(const Evidence& evidence) {
    std::vector<std::string> names;
    for (const Exchange& exchange : evidence.exchanges)
      names.push_back(exchange.name);
    return names;
  }

  v1::GetTraceResponse trace_;
};

TEST_F(EvidenceTest, AStepHasTheRequestsBelowItInTheirOrder) {
  Add("step", "check", {});
  AddRequest("late", "step", 20);
  AddRequest("soon", "step", 10);
  AddRequest("other", "another step", 5);
  EXPECT_THAT(Names(Of("step")), ElementsAre("GET /soon", "GET /late"));
}

TEST_F(EvidenceTest, AStepThatIsARequestIsItsOwn) {
  AddRequest("step", "check");
  // The service's side of the same request.
  AddRequest("wire", "step");
  EXPECT_THAT(Names(Of("step")), ElementsAre("GET /step"));
  EXPECT_EQ(Of("step").exchanges[0].curl, "curl -i \"$SERVICE\"'/step'");
}

TEST_F(EvidenceTest, StatementsStandUnderTheirRequestOnceWhateverTheirValues) {
  AddRequest("step", "check");
  Add("handler", "step", {});
  Add("a", "handler", {{"db.query.text", "select 'it''s', 7 from t1"}}, 1);
  Add("b", "handler", {{"db.query.text", "select 'x',  8.5 from t1"}}, 3);
  Add("c", "handler", {{"db.query.text", "select 1 from t2"}}, 2);
  const Evidence evidence = Of("step");
  const auto& statements = evidence.exchanges[0].statements;
  ASSERT_EQ(statements.size(), 2);
  EXPECT_EQ(statements[0].text, "select 'it''s', 7 from t1");
  EXPECT_EQ(statements[0].count, 2);
  EXPECT_EQ(statements[0].total_ns, 4 * kMs);
  EXPECT_EQ(statements[1].count, 1);
  EXPECT_THAT(evidence.statements, IsEmpty());
}

TEST_F(EvidenceTest, StatementsOfNoRequestAreTheSteps) {
  Add("step", "check", {});
  Add("a", "step",
      {{"db.query.text", "select 1"}, {"db.response.returned_rows", "3"}});
  ASSERT_EQ(Of("step").statements.size(), 1);
  EXPECT_EQ(Of("step").statements[0].rows, "3");
}

TEST_F(EvidenceTest, WhatCandidatesReportIsNone) {
  Add("step", "check", {});
  Add("a", "step",
      {{"db.query.text", "select 1"}, {"assay.source", "reported"}});
  EXPECT_TRUE(Of("step").empty());
}

TEST_F(EvidenceTest, RingsEndAndWhatHasNoSpanHasNone) {
  Add("step", "ring", {});
  Add("ring", "step", {});
  AddRequest("root", "");
  EXPECT_TRUE(Of("step").empty());
  EXPECT_TRUE(Of("unknown").empty());
  EXPECT_TRUE(EvidenceIndex(trace_).Of("").empty());
  EXPECT_TRUE(EvidenceIndex(trace_).Of("no hex").empty());
}

}  // namespace
}  // namespace assay::cli
