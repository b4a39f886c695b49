#include "runner/worker/outbox.h"

#include <gtest/gtest.h>

namespace assay::worker {
namespace {

v1::RunEvent Log(std::size_t bytes) {
  v1::RunEvent event;
  event.mutable_log()->set_content(std::string(bytes, 'x'));
  return event;
}

v1::RunEvent Finished() {
  v1::RunEvent event;
  event.mutable_finished()->set_outcome(v1::Run::OUTCOME_COMPLETED);
  return event;
}

class OutboxTest : public ::testing::Test {
 protected:
  Outbox outbox_{"run_1", 3};
};

TEST_F(OutboxTest, SendsWhatWaitsAsOneReport) {
  EXPECT_FALSE(outbox_.Next().has_value());
  outbox_.Add({Log(1), Log(2)});
  outbox_.Add({Log(3)});
  const auto report = outbox_.Next();
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->run(), "run_1");
  EXPECT_EQ(report->epoch(), 3u);
  EXPECT_EQ(report->first_offset(), 1);
  EXPECT_EQ(report->events_size(), 3);
  EXPECT_FALSE(outbox_.Next().has_value());
}

TEST_F(OutboxTest, ReportsStayUnderTheMessageLimit) {
  for (int i = 0; i < 10; ++i) outbox_.Add({Log(400 << 10)});
  const auto report = outbox_.Next();
  EXPECT_EQ(report->events_size(), 2);
  EXPECT_LE(report->ByteSizeLong(), std::size_t{1} << 20);
}

TEST_F(OutboxTest, OnlySoMuchIsOnTheWayAtOnce) {
  for (int i = 0; i < 10; ++i) outbox_.Add({Log(900 << 10)});
  int sent = 0;
  while (outbox_.Next()) ++sent;
  EXPECT_EQ(sent, 4);
  outbox_.Acknowledge(2);
  EXPECT_TRUE(outbox_.Next().has_value());
  EXPECT_FALSE(outbox_.Next().has_value());
}

TEST_F(OutboxTest, TheLastWordAndALotAreUrgentUntilTheyAreSent) {
  EXPECT_FALSE(outbox_.Waits());
  outbox_.Add({Log(1)});
  EXPECT_TRUE(outbox_.Waits());
  EXPECT_FALSE(outbox_.Urgent());
  outbox_.Add({Log(100 << 10)});
  EXPECT_TRUE(outbox_.Urgent());
  outbox_.Next();
  EXPECT_FALSE(outbox_.Waits());
  EXPECT_FALSE(outbox_.Urgent());
  // Refused for a gap: it is to be sent again.
  outbox_.Acknowledge(2);
  EXPECT_TRUE(outbox_.Urgent());
  outbox_.Next();
  outbox_.Acknowledge(3);
  EXPECT_FALSE(outbox_.Waits());
  outbox_.Add({Finished()});
  EXPECT_TRUE(outbox_.Urgent());
}

TEST_F(OutboxTest, WhatNobodyAcknowledgesIsSentAgainAfterSomeBeats) {
  outbox_.Add({Log(1), Finished()});
  outbox_.Next();
  for (int i = 0; i < 4; ++i) outbox_.Beat();
  EXPECT_FALSE(outbox_.Waits());
  outbox_.Beat();
  EXPECT_TRUE(outbox_.Urgent());
  EXPECT_EQ(outbox_.Next()->first_offset(), 1);
  // The answer to the first one, after all, and then the second's.
  outbox_.Acknowledge(3);
  EXPECT_TRUE(outbox_.Done());
  outbox_.Acknowledge(3);
  EXPECT_TRUE(outbox_.Done());
}

TEST_F(OutboxTest, BeatsCountFromTheLastAcknowledgement) {
  outbox_.Add({Log(1)});
  outbox_.Next();
  for (int i = 0; i < 4; ++i) outbox_.Beat();
  outbox_.Add({Log(2)});
  outbox_.Next();
  outbox_.Acknowledge(2);
  for (int i = 0; i < 4; ++i) outbox_.Beat();
  EXPECT_FALSE(outbox_.Waits());
  outbox_.Beat();
  EXPECT_TRUE(outbox_.Waits());
}

TEST_F(OutboxTest, IsDoneOnlyWhenTheLastWordIsDurable) {
  outbox_.Add({Log(1)});
  outbox_.Next();
  outbox_.Acknowledge(2);
  EXPECT_FALSE(outbox_.Done());
  outbox_.Add({Finished()});
  EXPECT_FALSE(outbox_.Done());
  outbox_.Next();
  outbox_.Acknowledge(3);
  EXPECT_TRUE(outbox_.Done());
}

TEST_F(OutboxTest, ANewStreamGetsEverythingThatIsNotDurable) {
  outbox_.Add({Log(1), Log(2), Log(3)});
  outbox_.Next();
  outbox_.Acknowledge(2);
  outbox_.Add({Log(4)});
  outbox_.Rewind();
  const auto report = outbox_.Next();
  EXPECT_EQ(report->first_offset(), 2);
  EXPECT_EQ(report->events_size(), 3);
}

TEST_F(OutboxTest, AGapIsSentAgainFromWhereItIsExpected) {
  outbox_.Add({Log(1), Log(2), Log(3)});
  outbox_.Next();
  outbox_.Acknowledge(2);
  const auto report = outbox_.Next();
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->first_offset(), 2);
}

TEST_F(OutboxTest, SaysWhenItsProducerShouldWait) {
  for (int i = 0; i < 40; ++i) outbox_.Add({Log(1 << 20)});
  EXPECT_TRUE(outbox_.Full());
  outbox_.Acknowledge(20);
  EXPECT_FALSE(outbox_.Full());
}

}  // namespace
}  // namespace assay::worker
