#include "services/gateway/grpc_server.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>

#include "assay/v1/invitation_service.grpc.pb.h"
#include "assay/v1/run_service.grpc.pb.h"
#include "services/gateway/grpc_probe.h"
#include "tests/services/gateway/fake_methods.h"
#include "tests/services/gateway/strand_thread.h"
#include "tests/testing/matchers.h"

namespace assay::gateway {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;

class GrpcServerTest : public ::testing::Test {
 protected:
  ~GrpcServerTest() override {
    // Ends calls that a failed test left open, while the strand still runs.
    server_->Shutdown(std::chrono::milliseconds(100));
  }

  std::unique_ptr<grpc::ClientContext> Context(const char* token) {
    auto context = std::make_unique<grpc::ClientContext>();
    context->set_deadline(std::chrono::system_clock::now() +
                          std::chrono::seconds(20));
    if (*token != '\0')
      context->AddMetadata("authorization", std::string("Bearer ") + token);
    return context;
  }

  grpc::Status GetRun(const char* token, const std::string& name,
                      v1::GetRunResponse* response) {
    v1::GetRunRequest request;
    request.set_name(name);
    return runs_->GetRun(Context(token).get(), request, response);
  }

  testing::StrandThread strand_;
  FakeMethods methods_{strand_.executor()};
  MethodGate gate_{methods_.registry(), FakeMethods::Authenticate};
  std::unique_ptr<GrpcServer> server_ =
      *GrpcServer::Start(strand_.executor(), gate_, {.address = "127.0.0.1:0"});
  const std::shared_ptr<grpc::Channel> channel_ =
      grpc::CreateChannel("127.0.0.1:" + std::to_string(server_->port()),
                          grpc::InsecureChannelCredentials());
  std::unique_ptr<v1::RunService::Stub> runs_ =
      v1::RunService::NewStub(channel_);
};

TEST_F(GrpcServerTest, AnswersAUnaryCall) {
  v1::GetRunResponse response;
  const grpc::Status status = GetRun("candidate", "runs/a", &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.run().name(), "runs/a");
  EXPECT_EQ(response.run().attempt(), "c");
}

TEST_F(GrpcServerTest, ErrorsKeepTheirCodesAndWords) {
  v1::GetRunResponse response;
  const grpc::Status missing = GetRun("candidate", "runs/none", &response);
  EXPECT_EQ(missing.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(missing.error_message(), "no run none");
  EXPECT_EQ(GetRun("", "runs/a", &response).error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(GetRun("worker", "runs/a", &response).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  const grpc::Status thrown = GetRun("candidate", "runs/throw", &response);
  EXPECT_EQ(thrown.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(thrown.error_message().find("secret"), std::string::npos);
}

TEST_F(GrpcServerTest, MethodForAnyoneNeedsNoToken) {
  v1::AcceptInvitationRequest request;
  request.set_secret("s");
  v1::AcceptInvitationResponse response;
  EXPECT_TRUE(v1::InvitationService::NewStub(channel_)
                  ->AcceptInvitation(Context("").get(), request, &response)
                  .ok());
  EXPECT_EQ(response.token(), "for s");
}

TEST_F(GrpcServerTest, WhatIsNotRegisteredIsUnimplemented) {
  v1::ListRunsResponse response;
  EXPECT_EQ(
      runs_->ListRuns(Context("candidate").get(), {}, &response).error_code(),
      grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(GrpcServerTest, JunkIsNoRequest) {
  grpc::GenericStub stub(channel_);
  grpc::Slice junk("\xFF\xFF\xFF\xFF");
  grpc::ByteBuffer request(&junk, 1), response;
  const auto context = Context("candidate");
  std::promise<grpc::Status> done;
  stub.UnaryCall(context.get(), "/assay.v1.RunService/GetRun", {}, &request,
                 &response,
                 [&](grpc::Status status) { done.set_value(status); });
  EXPECT_EQ(done.get_future().get().error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(GrpcServerTest, StreamsInOrderToItsEnd) {
  v1::WatchRunRequest request;
  request.set_name("runs/none");
  request.set_after_sequence(500);
  const auto context = Context("candidate");
  const auto reader = runs_->WatchRun(context.get(), request);
  v1::WatchRunResponse response;
  std::int64_t next = 0;
  while (reader->Read(&response))
    EXPECT_EQ(response.snapshot_sequence(), next++);
  EXPECT_EQ(next, 500);
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(GrpcServerTest, CancelledStreamEndsItsHandlerWhereverItWaits) {
  v1::WatchRunRequest request;
  request.set_name("runs/hang");
  request.set_after_sequence(1);
  const auto context = Context("candidate");
  const auto reader = runs_->WatchRun(context.get(), request);
  v1::WatchRunResponse response;
  ASSERT_TRUE(reader->Read(&response));
  auto ended = methods_.watch_ended.get_future();
  context->TryCancel();
  EXPECT_EQ(ended.wait_for(std::chrono::seconds(10)),
            std::future_status::ready);
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(GrpcServerTest, ReaderThatStopsHoldsTheHandlerBackUntilItLeaves) {
  v1::WatchRunRequest request;
  request.set_after_sequence(1'000'000);
  const auto context = Context("candidate");
  const auto reader = runs_->WatchRun(context.get(), request);
  v1::WatchRunResponse response;
  ASSERT_TRUE(reader->Read(&response));
  auto ended = methods_.watch_ended.get_future();
  context->TryCancel();
  EXPECT_EQ(ended.wait_for(std::chrono::seconds(10)),
            std::future_status::ready);
  while (reader->Read(&response)) {
  }
  reader->Finish();
}

TEST_F(GrpcServerTest, ShutdownEndsOpenStreams) {
  v1::WatchRunRequest request;
  request.set_name("runs/hang");
  request.set_after_sequence(1);
  const auto context = Context("candidate");
  const auto reader = runs_->WatchRun(context.get(), request);
  v1::WatchRunResponse response;
  ASSERT_TRUE(reader->Read(&response));
  server_->AnnounceDrain();
  server_->Shutdown(std::chrono::milliseconds(50));
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_FALSE(reader->Finish().ok());
}

TEST_F(GrpcServerTest, ProbeIsContentWithAServerThatAnswers) {
  std::promise<void> deaf;
  auto complaint = deaf.get_future();
  std::unique_ptr<GrpcProbe> probe;
  const ProbeOptions often{.interval = std::chrono::milliseconds(5)};
  strand_.Run([&] {
    probe = std::make_unique<GrpcProbe>(
        strand_.executor(), "0.0.0.0", server_->port(),
        [&] { deaf.set_value(); }, often);
  });
  EXPECT_EQ(complaint.wait_for(std::chrono::milliseconds(200)),
            std::future_status::timeout);
  strand_.Run([&] {
    EXPECT_GT(probe->counts().answered, 0u);
    EXPECT_EQ(probe->counts().silent, 0u);
    EXPECT_GT(probe->counts().took.count(), 0);
    probe.reset();
  });
}

TEST_F(GrpcServerTest, ProbeFindsAPortThatAcceptsAndNeverAnswers) {
  // The kernel takes connections for a listener that nobody accepts from.
  boost::asio::io_context context;
  const boost::asio::ip::tcp::acceptor silent(
      context, {boost::asio::ip::address_v4::loopback(), 0});
  std::promise<void> deaf;
  std::unique_ptr<GrpcProbe> probe;
  strand_.Run([&] {
    probe = std::make_unique<GrpcProbe>(
        strand_.executor(), "127.0.0.1", silent.local_endpoint().port(),
        [&] { deaf.set_value(); },
        ProbeOptions{.interval = std::chrono::milliseconds(5),
                     .timeout = std::chrono::milliseconds(20)});
  });
  EXPECT_EQ(deaf.get_future().wait_for(std::chrono::seconds(10)),
            std::future_status::ready);
  strand_.Run([&] {
    EXPECT_EQ(probe->counts().silent, 2u);
    probe.reset();
  });
}

TEST_F(GrpcServerTest, SecondServerOnThePortIsToldSo) {
  EXPECT_THAT(GrpcServer::Start(
                  strand_.executor(), gate_,
                  {.address = "127.0.0.1:" + std::to_string(server_->port())}),
              FailsWith(Code::kUnavailable, "--listen"));
}

}  // namespace
}  // namespace assay::gateway
