#include "runner/telemetry/redacting_sink.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace assay::telemetry {
namespace {

class Recorder final : public EventSink {
 public:
  void Emit(assay::v1::RunEvent event) override {
    events.push_back(std::move(event));
  }
  std::vector<assay::v1::RunEvent> events;
};

class RedactingSinkTest : public testing::Test {
 protected:
  RedactingSinkTest() { redactor_.Add("token", "tok-12345678"); }

  void Log(const std::string& content, bool hidden, bool end = false) {
    assay::v1::RunEvent event;
    event.mutable_log()->set_stream("service");
    event.mutable_log()->set_content(content);
    event.mutable_log()->set_hidden(hidden);
    event.mutable_log()->set_end(end);
    sink_.Emit(std::move(event));
  }

  Redactor redactor_;
  Recorder out_;
  RedactingSink sink_{redactor_, out_};
};

TEST_F(RedactingSinkTest, EveryTextOfAnEventIsRedacted) {
  assay::v1::RunEvent event;
  auto& result = *event.mutable_check_finished()->mutable_result();
  result.set_reason("got tok-12345678");
  result.add_steps()->set_reason("sent tok-12345678");
  result.add_cases()->set_name("tok-12345678");
  sink_.Emit(event);

  assay::v1::RunEvent spans;
  auto& span = *spans.mutable_spans()->add_spans();
  span.set_name("GET /x?t=tok-12345678");
  auto& list = *span.add_attributes()->mutable_value()->mutable_array_value();
  list.add_values()->set_string_value("tok-12345678");
  sink_.Emit(spans);

  for (const auto& sent : out_.events) {
    EXPECT_EQ(sent.SerializeAsString().find("tok-12345678"), std::string::npos);
  }
  EXPECT_EQ(out_.events[0].check_finished().result().reason(),
            "got [secret:token]");
}

TEST_F(RedactingSinkTest, TextsLeaveAsUtf8AndBytesAsTheyAre) {
  assay::v1::RunEvent event;
  event.mutable_check_finished()->mutable_result()->set_reason("a\xff\xc3(é");
  sink_.Emit(event);
  EXPECT_EQ(out_.events[0].check_finished().result().reason(),
            "a\xEF\xBF\xBD\xEF\xBF\xBD(é");
  Log("raw \xff", false);
  EXPECT_EQ(out_.events[1].log().content(), "raw \xff");
}

TEST_F(RedactingSinkTest, LogOffsetsCountRedactedBytes) {
  Log("a tok-123", false);
  Log("45678 b", false);
  Log("", false, true);
  std::string whole;
  for (const auto& event : out_.events) {
    EXPECT_EQ(event.log().offset(), static_cast<std::int64_t>(whole.size()));
    whole += event.log().content();
  }
  EXPECT_EQ(whole, "a [secret:token] b");
  EXPECT_TRUE(out_.events.back().log().end());
}

// Its last bytes may begin a secret, and wait for what never comes.
TEST_F(RedactingSinkTest, ThatAStreamWasCutIsToldAlsoWithoutBytes) {
  assay::v1::RunEvent event;
  event.mutable_log()->set_stream("service");
  event.mutable_log()->set_content("tok-");
  event.mutable_log()->set_truncated(true);
  sink_.Emit(std::move(event));
  Log("", false, true);
  ASSERT_EQ(out_.events.size(), 2u);
  EXPECT_TRUE(out_.events[0].log().truncated());
  EXPECT_EQ(out_.events[1].log().content(), "tok-");
}

TEST_F(RedactingSinkTest, BytesHeldBackFromAHiddenCheckStayHidden) {
  Log("x tok-", true);
  Log("y", false);
  ASSERT_EQ(out_.events.size(), 2u);
  EXPECT_EQ(out_.events[1].log().content(), "tok-y");
  EXPECT_TRUE(out_.events[1].log().hidden());
}

}  // namespace
}  // namespace assay::telemetry
