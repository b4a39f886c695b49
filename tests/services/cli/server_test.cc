#include "services/cli/server.h"

#include <gmock/gmock.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "assay/v1/system_service.grpc.pb.h"
#include "tests/testing/matchers.h"

namespace assay::cli {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::Not;

// One whose store is away.
class StarvedServer final : public v1::SystemService::Service {
  grpc::Status GetSystem(grpc::ServerContext*, const v1::GetSystemRequest*,
                         v1::GetSystemResponse*) override {
    return {grpc::StatusCode::UNAVAILABLE, "the store cannot be written"};
  }
};

Expected<v1::GetSystemResponse> Ask(int port) {
  Server server({.address = "127.0.0.1:" + std::to_string(port)});
  return server.Call(&v1::SystemService::Stub::GetSystem,
                     v1::GetSystemRequest());
}

TEST(ServerTest, AServersOwnWordsAreNotTakenForItsSilence) {
  StarvedServer service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  builder.RegisterService(&service);
  const auto grpc = builder.BuildAndStart();
  const auto answered = Ask(port);
  EXPECT_THAT(answered,
              FailsWith(Code::kUnavailable, "the store cannot be written"));
  EXPECT_THAT(answered.error().message, Not(HasSubstr("no answer")));
  grpc->Shutdown(std::chrono::system_clock::now());
  grpc->Wait();
  EXPECT_THAT(Ask(port), FailsWith(Code::kUnavailable, "no answer from"));
}

}  // namespace
}  // namespace assay::cli
