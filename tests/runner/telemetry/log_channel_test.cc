#include "runner/telemetry/log_channel.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <string>
#include <vector>

namespace assay::telemetry {
namespace {

class LogChannelTest : public ::testing::Test, public EventSink {
 protected:
  void Emit(assay::v1::RunEvent event) override {
    content_ += event.log().content();
    ends_ += event.log().end() ? 1 : 0;
    cuts_ += event.log().truncated() ? 1 : 0;
    last_is_end_ = event.log().end();
  }

  boost::asio::io_context context_;
  std::string content_;
  int ends_ = 0;
  int cuts_ = 0;
  bool last_is_end_ = false;
};

TEST_F(LogChannelTest, AStreamIsWholeAndSaysWhereItEnds) {
  LogChannel log(context_.get_executor(), *this, "build", 100);
  log.Append("one ");
  log.Append("two");
  log.End();
  log.Append("late");
  log.End();
  EXPECT_EQ(content_, "one two");
  EXPECT_EQ(ends_, 1);
  EXPECT_TRUE(last_is_end_);
  EXPECT_EQ(cuts_, 0);
}

TEST_F(LogChannelTest, AStreamThatSaysNothingHasAnEndToo) {
  {
    const LogChannel log(context_.get_executor(), *this, "build", 100);
  }
  EXPECT_EQ(content_, "");
  EXPECT_EQ(ends_, 1);
}

TEST_F(LogChannelTest, AStreamThatJustFitsIsWhole) {
  LogChannel log(context_.get_executor(), *this, "build", 7);
  log.Append("one ");
  log.Append("two");
  log.End();
  EXPECT_EQ(content_, "one two");
  EXPECT_EQ(cuts_, 0);
}

TEST_F(LogChannelTest, WhatIsOverTheLimitIsCutAndThatIsToldOnce) {
  LogChannel log(context_.get_executor(), *this, "build", 10);
  log.Append("0123456");
  log.Append("789 and more");
  log.Append("much more");
  EXPECT_EQ(content_, "0123456789");
  EXPECT_EQ(cuts_, 1);
  log.End();
  EXPECT_EQ(content_, "0123456789");
  EXPECT_EQ(cuts_, 1);
  EXPECT_EQ(ends_, 1);
  EXPECT_TRUE(last_is_end_);
}

}  // namespace
}  // namespace assay::telemetry
