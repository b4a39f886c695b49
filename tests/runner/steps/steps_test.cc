// The parts of steps that need no service.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runner/steps/burst_step.h"
#include "runner/steps/request.h"
#include "runner/steps/sql_step.h"
#include "runner/steps/trace_step.h"

namespace assay::steps {
namespace {

using nlohmann::json;
using testing::HasSubstr;

google::protobuf::Map<std::string, std::int32_t> Expected(
    std::initializer_list<std::pair<std::string, int>> counts) {
  google::protobuf::Map<std::string, std::int32_t> map;
  for (const auto& [key, count] : counts) map[key] = count;
  return map;
}

TEST(BurstStepTest, EveryAnswerMustBeExpected) {
  const auto want = Expected({{"201", 2}, {"4xx", 3}});
  EXPECT_EQ(CompareStatuses(want, {{201, 2}, {409, 1}, {422, 2}}), "");
  EXPECT_EQ(CompareStatuses(want, {{201, 3}, {409, 2}}),
            "expected 2 × 201 and 3 × 4xx, got 3 × 201 and 2 × 409");
  EXPECT_EQ(CompareStatuses(want, {{201, 2}, {409, 3}, {500, 1}}),
            "expected 2 × 201 and 3 × 4xx, got 2 × 201, 3 × 409 and 1 × 500");
  EXPECT_EQ(CompareStatuses(want, {{201, 2}, {409, 2}, {0, 1}}),
            "expected 2 × 201 and 3 × 4xx, got 2 × 201, 2 × 409 and 1 × no "
            "answer");
}

TEST(BurstStepTest, AnExactStatusIsCountedBeforeItsClass) {
  EXPECT_EQ(
      CompareStatuses(Expected({{"409", 1}, {"4xx", 2}}), {{409, 1}, {422, 2}}),
      "");
}

TEST(RequestTest, ARedirectStaysOnTheWireOrIsRefused) {
  const std::string origin = "http://127.0.0.1:8080";
  EXPECT_EQ(TargetOnTheWire(origin + "/a?b=c", origin).value(), "/a?b=c");
  EXPECT_EQ(TargetOnTheWire("http://localhost:8080/a", origin).value(), "/a");
  EXPECT_EQ(TargetOnTheWire(origin, origin).value(), "/");
  for (const std::string elsewhere :
       {"http://169.254.169.254/", "https://127.0.0.1:8080/",
        "http://127.0.0.1:80800/", "http://127.0.0.1:8080@example.test/",
        "http://127.0.0.1:5432/", "file:///etc/passwd"}) {
    EXPECT_FALSE(TargetOnTheWire(elsewhere, origin).has_value()) << elsewhere;
  }
}

class MakeRequestTest : public testing::Test {
 protected:
  plan::v1::Plan plan_;
  plan::v1::HttpStep step_;
  suite::Scope scope_;
};

TEST_F(MakeRequestTest, ExpandsTemplatesWhereTheyStand) {
  scope_.Set("id", 7);
  scope_.Set("token", "t k");
  step_.set_method("POST");
  step_.set_path("/orders/{{id}}");
  auto& query = *step_.add_query();
  query.set_name("q");
  query.set_value("{{token}}");
  step_.set_bearer("{{token}}");
  step_.set_json(R"({"id": "{{id}}", "text": "no {{id}}"})");
  const auto request = MakeRequest(step_, plan_, scope_);
  ASSERT_TRUE(request.has_value()) << request.error();
  EXPECT_EQ(request->target, "/orders/7?q=t%20k");
  EXPECT_EQ(json::parse(*request->body), (json{{"id", 7}, {"text", "no 7"}}));
  EXPECT_THAT(request->headers,
              testing::UnorderedElementsAre(
                  testing::Pair("authorization", "Bearer t k"),
                  testing::Pair("content-type", "application/json")));
}

TEST_F(MakeRequestTest, APathThatWouldSplitTheRequestIsRefused) {
  scope_.Set("id", "x HTTP/1.1\r\nHost: other");
  step_.set_method("GET");
  step_.set_path("/{{id}}");
  EXPECT_FALSE(MakeRequest(step_, plan_, scope_).has_value());
  step_.set_path("{{missing}}");
  EXPECT_FALSE(MakeRequest(step_, plan_, scope_).has_value());
}

TEST(SqlStepTest, ValuesTakeTheFormOfTheirType) {
  wires::SqlResult result;
  result.columns = {{"i", 23},   {"b", 16}, {"n", 1700},
                    {"j", 3802}, {"t", 25}, {"f", 701}};
  result.rows = {{"41", "t", "12.50", "{\"a\":[1]}", "41", "NaN"},
                 {std::nullopt, "f", "3", "null", "", "1e3"}};
  EXPECT_EQ(RowsAsJson(result),
            json::parse(R"([[41, true, 12.5, {"a": [1]}, "41", "NaN"],
                            [null, false, 3, null, "", 1000.0]])"));
}

class TraceStepTest : public testing::Test {
 protected:
  TraceStepTest() {
    auto& matcher = *step_.mutable_queries_per_request()->add_matchers();
    matcher.set_op(plan::v1::Matcher::OP_LTE);
    matcher.set_operand_json("2");
  }
  // A request that runs `times` statements and a transaction around them.
  std::uint64_t Request(int times) {
    const auto request = correlation_.Enter({});
    correlation_.Leave(request);
    seen_.requests.push_back({request, "GET /x", ""});
    seen_.statements.push_back({request, "BEGIN", "BEGIN", true});
    for (int i = 0; i < times; ++i) {
      seen_.statements.push_back({request, "select ?", "SELECT"});
    }
    return request;
  }
  Outcome Run() {
    assertions::Evaluator evaluator(scope_, schemas_);
    return CheckTrace(step_, seen_, correlation_, evaluator);
  }

  plan::v1::Plan plan_;
  plan::v1::TraceStep step_;
  suite::Scope scope_;
  assertions::Schemas schemas_{plan_};
  telemetry::Correlation correlation_;
  Observations seen_;
};

TEST_F(TraceStepTest, CountsQueriesOfTheChosenRequest) {
  Request(9);
  Request(2);
  step_.set_of("last");
  EXPECT_TRUE(Run().passed()) << Run().reason;
  step_.set_of("any");
  EXPECT_TRUE(Run().passed()) << Run().reason;
  step_.set_of("first");
  EXPECT_THAT(Run().reason, HasSubstr("9 × select ?"));
  step_.set_of("all");
  EXPECT_FALSE(Run().passed());
}

TEST_F(TraceStepTest, ARequestThatOverlappedIsNotJudged) {
  const auto one = correlation_.Enter({});
  const auto two = correlation_.Enter({});
  correlation_.Leave(one);
  correlation_.Leave(two);
  seen_.requests = {{one, "GET /a", ""}, {two, "GET /b", ""}};
  EXPECT_EQ(Run().verdict, v1::VERDICT_INCONCLUSIVE);
}

TEST_F(TraceStepTest, NothingToLookAtIsNotAPass) {
  EXPECT_EQ(Run().verdict, v1::VERDICT_FAILED);
}

// Spans of one request: GET /x over a reported handler over two statements.
class SpanAssertionTest : public TraceStepTest {
 protected:
  SpanAssertionTest() {
    step_.clear_queries_per_request();
    seen_.requests.push_back({correlation_.Enter({}), "GET /x", "request"});
    correlation_.Leave(1);
    Add("request", "", "GET /x", "wire", 30);
    Add("handler", "request", "handler", "reported", 25);
    Add("one", "handler", "SELECT orders", "tap", 5);
    Add("two", "handler", "SELECT orders", "tap", 20);
    Add("other", "elsewhere", "SELECT users", "tap", 1);
  }
  otlp::v1::Span& Add(const std::string& id, const std::string& parent,
                      const std::string& name, const std::string& source,
                      std::uint64_t milliseconds) {
    otlp::v1::Span& span = seen_.spans.emplace_back();
    span.set_span_id(id);
    span.set_parent_span_id(parent);
    span.set_name(name);
    span.set_end_time_unix_nano(milliseconds * 1'000'000);
    Set(span, "assay.source", source);
    return span;
  }
  static void Set(otlp::v1::Span& span, const std::string& key,
                  const std::string& value) {
    auto& pair = *span.add_attributes();
    pair.set_key(key);
    pair.mutable_value()->set_string_value(value);
  }
  static void Expect(plan::v1::Expectation& expectation,
                     plan::v1::Matcher::Op op, const std::string& operand) {
    auto& matcher = *expectation.add_matchers();
    matcher.set_op(op);
    matcher.set_operand_json(operand);
  }
  using Op = plan::v1::Matcher;
};

TEST_F(SpanAssertionTest, CountsWhatIsBelowTheRequest) {
  Expect(*step_.mutable_span_name(), Op::OP_STARTS, "\"SELECT\"");
  Expect(*step_.mutable_count(), Op::OP_EQ, "2");
  EXPECT_TRUE(Run().passed()) << Run().reason;
  step_.set_per("check");
  EXPECT_THAT(Run().reason, HasSubstr("3"));
}

TEST_F(SpanAssertionTest, ReportedAndObservedAreToldApart) {
  Expect(*step_.mutable_count(), Op::OP_EQ, "1");
  step_.set_source("reported");
  EXPECT_TRUE(Run().passed()) << Run().reason;
  step_.set_source("any");
  EXPECT_FALSE(Run().passed());
}

TEST_F(SpanAssertionTest, BelowNamesAnySpanAbove) {
  Expect(*step_.mutable_count(), Op::OP_EQ, "2");
  step_.set_below("handler");
  EXPECT_TRUE(Run().passed()) << Run().reason;
  step_.set_below("nobody");
  EXPECT_FALSE(Run().passed());
}

TEST_F(SpanAssertionTest, DurationAndStatusHoldForEverySpan) {
  Expect(*step_.mutable_span_name(), Op::OP_EQ, "\"SELECT orders\"");
  Expect(*step_.mutable_duration(), Op::OP_LT, "20");
  EXPECT_THAT(Run().reason, HasSubstr("duration of SELECT orders"));
  step_.clear_duration();
  Expect(*step_.mutable_status(), Op::OP_EQ, "\"unset\"");
  EXPECT_TRUE(Run().passed()) << Run().reason;
  seen_.spans[3].mutable_status()->set_code(
      otlp::v1::SpanStatus::STATUS_CODE_ERROR);
  seen_.spans[3].mutable_status()->set_message("deadlock detected");
  EXPECT_THAT(Run().reason, HasSubstr("deadlock detected"));
}

TEST_F(SpanAssertionTest, AttributesMayHaveTheirOldNames) {
  Set(seen_.spans[2], "db.system", "postgresql");
  auto& attribute = *step_.add_attributes();
  attribute.set_name("db.system.name");
  Expect(*attribute.mutable_expectation(), Op::OP_EQ, "\"postgresql\"");
  Expect(*step_.mutable_count(), Op::OP_EQ, "1");
  EXPECT_TRUE(Run().passed()) << Run().reason;
}

TEST_F(SpanAssertionTest, NoSuchSpanIsAFailureUnlessNoneIsExpected) {
  Expect(*step_.mutable_span_name(), Op::OP_EQ, "\"DELETE orders\"");
  EXPECT_THAT(Run().reason, HasSubstr("found none"));
  Expect(*step_.mutable_count(), Op::OP_EQ, "0");
  EXPECT_TRUE(Run().passed()) << Run().reason;
}

TEST_F(SpanAssertionTest, AChainThatGoesRoundEnds) {
  seen_.spans[0].set_parent_span_id("one");
  step_.set_below("nobody");
  EXPECT_FALSE(Run().passed());
}

}  // namespace
}  // namespace assay::steps
