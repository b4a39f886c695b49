#include "services/git_http/push_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/git_http/pkt_line.h"
#include "tests/testing/matchers.h"

namespace assay::git_http {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::Pair;

TEST(PushReportTest, ReadsWhatBecameOfEachRef) {
  const auto report =
      ParseReport(PacketOf("unpack ok\n") + PacketOf("ok refs/heads/main\n") +
                  PacketOf("option refname refs/heads/x\n") +
                  PacketOf("ng refs/heads/b non-fast-forward\n") + "0000");
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->refs,
              ElementsAre(Pair("refs/heads/b", "non-fast-forward"),
                          Pair("refs/heads/main", "")));
  EXPECT_EQ(report->unpack_error, "");
}

TEST(PushReportTest, UnpackErrorIsMadePresentable) {
  const auto report =
      ParseReport(PacketOf("unpack bad \x1b[31mpack\n") + "0000");
  EXPECT_EQ(report->unpack_error, "bad \xEF\xBF\xBD[31mpack");
}

TEST(PushReportTest, AnythingLessThanAWholeReportIsNone) {
  for (const std::string& bytes :
       {std::string(), std::string("0000"), PacketOf("unpack ok\n"),
        PacketOf("ok refs/heads/main\n") + "0000",
        PacketOf("unpack ok\n") + PacketOf("fine\n") + "0000"})
    EXPECT_THAT(ParseReport(bytes), FailsWith(Code::kInvalidArgument)) << bytes;
}

TEST(PushReportTest, ReaderHandsMessagesOnAndKeepsReportAndFlush) {
  const std::string report =
      PacketOf("unpack ok\n") + PacketOf("ok refs/heads/main\n") + "0000";
  const std::string output = BandOf(Band::kMessage, "Resolving\n") +
                             PacketOf(std::string(1, '\1')) +  // keep-alive
                             BandOf(Band::kReport, report) + "0000";
  ReportReader reader(true);
  std::string messages;
  for (const char byte : output)  // however the pipe cuts it
    messages += *reader.Feed(std::string(1, byte));
  EXPECT_EQ(messages, BandOf(Band::kMessage, "Resolving\n"));
  EXPECT_EQ(reader.report(), report);

  ReportReader plain(false);
  EXPECT_EQ(*plain.Feed(report), "");
  EXPECT_EQ(plain.report(), report);
}

TEST(PushReportTest, RefusalNamesEachRefAndTellsWhy) {
  PushRequest request{
      .updates = {{"refs/heads/a", "", ""}, {"refs/heads/b", "", ""}},
      .side_band = true,
      .report_status = true};
  const std::string answer = RefusalOf(request, "too late\nSorry.");
  EXPECT_THAT(answer, HasSubstr(BandOf(Band::kMessage, "Sorry.\n")));
  EXPECT_THAT(answer, HasSubstr("ng refs/heads/a too late\n"));
  EXPECT_THAT(answer, HasSubstr("ng refs/heads/b too late\n"));
  EXPECT_TRUE(answer.ends_with("00000000"));
  request.side_band = false;
  EXPECT_EQ(RefusalOf(request, "no").substr(0, 14), "000eunpack ok\n");
  request.report_status = false;
  EXPECT_THAT(RefusalOf(request, "no"), IsEmpty());
}

}  // namespace
}  // namespace assay::git_http
