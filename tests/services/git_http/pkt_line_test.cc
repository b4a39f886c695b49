#include "services/git_http/pkt_line.h"

#include <gtest/gtest.h>

#include "tests/testing/matchers.h"

namespace assay::git_http {
namespace {

using testing::FailsWith;

TEST(PktLineTest, TakesDataAndMarks) {
  PacketReader reader("0009done\n00000001000200");
  EXPECT_EQ((*reader.Next())->payload, "done\n");
  EXPECT_EQ((*reader.Next())->kind, Packet::Kind::kFlush);
  EXPECT_EQ((*reader.Next())->kind, Packet::Kind::kDelimiter);
  EXPECT_EQ((*reader.Next())->kind, Packet::Kind::kResponseEnd);
  EXPECT_FALSE(reader.Next()->has_value());
  EXPECT_EQ(reader.rest(), "00");
}

TEST(PktLineTest, WaitsForAWholePacket) {
  PacketReader reader("000ahello");
  EXPECT_FALSE(reader.Next()->has_value());
  PacketReader empty("0004");
  EXPECT_EQ((*empty.Next())->payload, "");
}

TEST(PktLineTest, RefusesLengthsThatAreNone) {
  for (const char* bytes :
       {"0003", "fff1", "ffff", "-001", "00 4", "0x10", "zzzz", "PACK"})
    EXPECT_THAT(PacketReader(bytes).Next(), FailsWith(Code::kInvalidArgument))
        << bytes;
}

TEST(PktLineTest, WritesWhatItReads) {
  EXPECT_EQ(PacketOf("ok\n"), "0007ok\n");
  EXPECT_EQ(BandOf(Band::kMessage, "hi\n"), "0008\2hi\n");
  // More than a packet holds becomes several.
  const std::string packets =
      BandOf(Band::kReport, std::string(kMaxPacket, 'x'));
  PacketReader reader(packets);
  EXPECT_EQ((*reader.Next())->payload.size(), kMaxPacket - 4);
  EXPECT_EQ((*reader.Next())->payload.size(), 6);
  EXPECT_EQ(reader.rest(), "");
}

}  // namespace
}  // namespace assay::git_http
