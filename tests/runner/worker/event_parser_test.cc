#include "runner/worker/event_parser.h"

#include <gmock/gmock.h>

#include "tests/testing/matchers.h"

namespace assay::worker {
namespace {

using assay::testing::FailsWith;
using ::testing::SizeIs;

v1::RunEvent Phase(const std::string& name) {
  v1::RunEvent event;
  event.mutable_phase_started()->set_phase(name);
  return event;
}

TEST(EventParserTest, EventsComeThroughHoweverTheBytesAreCut) {
  const std::string bytes = SerializeDelimited(Phase("build")) +
                            SerializeDelimited(Phase(std::string(300, 'p')));
  EventParser parser;
  std::vector<v1::RunEvent> events;
  for (const char byte : bytes)
    for (auto& event : *parser.Feed({&byte, 1})) events.push_back(event);
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].phase_started().phase(), "build");
  EXPECT_TRUE(parser.Complete());
  EXPECT_THAT(*parser.Feed(bytes + bytes), SizeIs(4));
}

TEST(EventParserTest, AStreamThatEndsInTheMiddleIsNotComplete) {
  EventParser parser;
  const std::string bytes = SerializeDelimited(Phase("build"));
  ASSERT_TRUE(parser.Feed(bytes.substr(0, bytes.size() - 1)));
  EXPECT_FALSE(parser.Complete());
}

TEST(EventParserTest, WhatOnlyTheCoordinatorSaysIsRefused) {
  v1::RunEvent event;
  event.mutable_state_changed()->set_state(v1::Run::STATE_FINISHED);
  EXPECT_THAT(EventParser().Feed(SerializeDelimited(event)),
              FailsWith(Code::kDataLoss, "only the coordinator"));
  EXPECT_THAT(EventParser().Feed(SerializeDelimited(v1::RunEvent())),
              FailsWith(Code::kDataLoss));
}

TEST(EventParserTest, NumbersOfTheRunsOwnAreDropped) {
  v1::RunEvent event = Phase("build");
  event.set_sequence(99);
  event.set_epoch(99);
  const auto events = EventParser().Feed(SerializeDelimited(event));
  EXPECT_EQ(events->front().sequence(), 0);
  EXPECT_EQ(events->front().epoch(), 0u);
}

TEST(EventParserTest, GarbageAndGiantsEndTheStream) {
  EXPECT_THAT(EventParser().Feed("\x05hello"), FailsWith(Code::kDataLoss));
  EXPECT_THAT(EventParser().Feed("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
              FailsWith(Code::kDataLoss));
  // Whichever way it is cut, and whatever is left of it in 32 bits.
  EXPECT_THAT(EventParser().Feed("\x81\x80\x80\x80\x80\x80\x01\x30"),
              FailsWith(Code::kDataLoss, "no end"));
  EXPECT_THAT(EventParser().Feed("\xff\xff\xff\x7f"),
              FailsWith(Code::kDataLoss, "at most"));
}

}  // namespace
}  // namespace assay::worker
