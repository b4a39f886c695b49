#include "services/coordinator/coordinator.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "assay/v1/system_service.grpc.pb.h"
#include "tests/services/coordinator/server_fixture.h"
#include "tests/services/gateway/raw_http.h"
#include "tests/testing/matchers.h"

namespace assay::testing {
namespace {

using ::testing::HasSubstr;

class CoordinatorTest : public ServerFixture {};

TEST_F(CoordinatorTest, SecondOneOnTheSameDataIsRefused) {
  const auto second = strand_.Await(
      coordinator::Coordinator::Start(strand_.executor(), clock_, options_));
  EXPECT_THAT(second, FailsWith(Code::kFailedPrecondition, "another assayd"));
}

TEST_F(CoordinatorTest, TakenPortIsNamedWithTheOptionThatChangesIt) {
  coordinator::Options other = options_;
  other.data_dir = directory_.path() / "other";
  other.web_address = "127.0.0.1:" + std::to_string(web_port());
  EXPECT_THAT(strand_.Await(coordinator::Coordinator::Start(strand_.executor(),
                                                            clock_, other)),
              FailsWith(Code::kUnavailable, "--web"));
  other.web_address = "127.0.0.1:0";
  other.grpc_address = "127.0.0.1:" + std::to_string(grpc_port());
  EXPECT_THAT(strand_.Await(coordinator::Coordinator::Start(strand_.executor(),
                                                            clock_, other)),
              FailsWith(Code::kUnavailable, "--listen"));
}

TEST_F(CoordinatorTest, DataIsForItsOwnerOnlyAndOutlivesARestart) {
  struct stat info;
  ASSERT_EQ(stat(options_.data_dir.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700);
  MakeAssignment();
  const StartedAttempt attempt = MakeAttempt();
  Restart();
  EXPECT_TRUE(Pushes(attempt).empty());
  EXPECT_EQ(StatusOf(Exchange(web_port(),
                              "GET /healthz HTTP/1.1\r\nHost: x\r\n"
                              "Connection: close\r\n\r\n")),
            200);
}

TEST_F(CoordinatorTest, StopEndsStreamsAndReturnsWithinItsGrace) {
  RawClient watcher(web_port());
  watcher.Send(Post("/assay.v1.RunService/WatchRuns",
                    "application/connect+json", std::string("\0\0\0\0\2{}", 7),
                    "Authorization: Bearer " + AdminToken() + "\r\n"));
  ASSERT_TRUE(watcher.ReadUntil("\r\n\r\n"));
  const auto start = std::chrono::steady_clock::now();
  Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  watcher.ReadAll();
}

TEST_F(CoordinatorTest, CandidateSeesNothingOfAnother) {
  MakeAssignment();
  const StartedAttempt ada = MakeAttempt();
  const StartedAttempt eve = MakeAttempt();
  v1::GetAttemptRequest request;
  request.set_name(ada.name);
  v1::GetAttemptResponse response;
  const auto status = v1::AttemptService::NewStub(channel())->GetAttempt(
      As(eve.token).get(), request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
}

}  // namespace
}  // namespace assay::testing
