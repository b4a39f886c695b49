#include "services/cli/connect_client.h"

#include <gtest/gtest.h>

#include <vector>

#include "assay/v1/attempt_service.pb.h"
#include "assay/v1/run_service.pb.h"
#include "services/cli/candidate_session.h"
#include "tests/testing/matchers.h"
#include "tests/testing/temporary_directory.h"

namespace assay::cli {
namespace {

using testing::FailsWith;
using testing::IsOk;

std::string Frame(unsigned char flags, const std::string& json) {
  std::string frame(1, static_cast<char>(flags));
  frame += std::string(3, '\0') + static_cast<char>(json.size());
  return frame + json;
}

TEST(MethodOfTest, ARequestNamesItsMethod) {
  EXPECT_EQ(MethodOf(v1::GetAttemptRequest()),
            "assay.v1.AttemptService/GetAttempt");
  EXPECT_EQ(MethodOf(v1::WatchRunRequest()), "assay.v1.RunService/WatchRun");
  EXPECT_EQ(MethodOf(v1::Attempt()), "");
}

class ConnectFramesTest : public ::testing::Test {
 protected:
  std::vector<std::string> seen_;
  ConnectFrames frames_{[this](std::string_view json) {
    seen_.emplace_back(json);
    return true;
  }};
};

TEST_F(ConnectFramesTest, ComeWholeHoweverTheBytesAreCut) {
  const std::string bytes =
      Frame(0, "{\"a\":1}") + Frame(0, "{}") + Frame(2, "{}");
  for (const char byte : bytes) EXPECT_TRUE(frames_.Feed({&byte, 1}));
  EXPECT_EQ(seen_, (std::vector<std::string>{"{\"a\":1}", "{}"}));
  EXPECT_THAT(frames_.status(), IsOk());
}

TEST_F(ConnectFramesTest, TheLastFrameSaysWhatWentWrong) {
  frames_.Feed(
      Frame(2, R"({"error":{"code":"not_found","message":"no such run"}})"));
  EXPECT_THAT(frames_.status(), FailsWith(Code::kNotFound, "no such run"));
}

TEST_F(ConnectFramesTest, AStreamWithoutAnEndWasCut) {
  frames_.Feed(Frame(0, "{}"));
  EXPECT_THAT(frames_.status(), FailsWith(Code::kUnavailable));
}

TEST_F(ConnectFramesTest, AFrameThatIsTooLongIsRefusedByItsHead) {
  EXPECT_FALSE(frames_.Feed(std::string("\0\xff\xff\xff\xff", 5)));
}

TEST(InvitationLinkTest, IsTakenWholeOrAsItsSecret) {
  const InvitationLink whole =
      ParseInvitationLink("https://assay.test:8443/invitation#s3cret\n");
  EXPECT_EQ(whole.server, "https://assay.test:8443");
  EXPECT_EQ(whole.secret, "s3cret");
  const InvitationLink below =
      ParseInvitationLink("https://host/tools/assay/invitation#x");
  EXPECT_EQ(below.server, "https://host/tools/assay");
  const InvitationLink bare = ParseInvitationLink("s3cret");
  EXPECT_EQ(bare.server, "");
  EXPECT_EQ(bare.secret, "s3cret");
}

TEST(CandidateSessionTest, IsKeptForItsOwnerOnly) {
  const testing::TemporaryDirectory directory;
  const auto file = directory.path() / "a" / "candidate.json";
  EXPECT_FALSE(LoadCandidateSession(file));
  ASSERT_THAT(SaveCandidateSession(file, {"http://host", "asy_1"}), IsOk());
  const auto session = LoadCandidateSession(file);
  ASSERT_TRUE(session);
  EXPECT_EQ(session->server, "http://host");
  EXPECT_EQ(session->token, "asy_1");
  EXPECT_EQ(
      std::filesystem::status(file).permissions(),
      std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace
}  // namespace assay::cli
