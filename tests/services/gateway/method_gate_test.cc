#include "services/gateway/method_gate.h"

#include <gmock/gmock.h>

#include "assay/v1/run_service.pb.h"
#include "tests/services/gateway/fake_methods.h"
#include "tests/services/gateway/strand_thread.h"
#include "tests/testing/matchers.h"

namespace assay::gateway {
namespace {

constexpr const char* kWatch = "assay.v1.RunService/WatchRun";

class CountingSink final : public rpc::MessageSink {
 public:
  rpc::Async<void> Write(const google::protobuf::Message&) override {
    ++written;
    co_return Status();
  }
  int written = 0;
};

class MethodGateTest : public ::testing::Test {
 protected:
  // A stream of `messages`, whose caller is `standing` by the given question,
  // counted from the one at the door.
  Status Watch(std::chrono::milliseconds ask_again, int messages,
               std::function<Expected<rpc::Caller>(int)> standing) {
    MethodGate gate(
        methods_.registry(),
        [this, standing](std::string header) {
          EXPECT_EQ(header, "Bearer it");
          return Answer(standing(asked_++));
        },
        ask_again);
    const rpc::Method& method = *gate.Find(kWatch);
    auto context =
        strand_.Await(gate.Admit(method, {.authorization = "Bearer it"}));
    if (!context) return std::unexpected(context.error());
    auto request = std::make_unique<v1::WatchRunRequest>();
    request->set_name("runs/one");
    request->set_after_sequence(messages);
    return strand_.Await(gate.CallStream(
        method, *std::move(context), "Bearer it", std::move(request), sink_));
  }

  static rpc::Async<rpc::Caller> Answer(Expected<rpc::Caller> caller) {
    co_return caller;
  }

  testing::StrandThread strand_;
  FakeMethods methods_{strand_.executor()};
  CountingSink sink_;
  int asked_ = 0;
};

rpc::Caller As(v1::Role role) { return {.role = role, .label = "it"}; }

TEST_F(MethodGateTest, AStreamEndsBeforeItsNextMessageOnceItsCallerIsNone) {
  const Status status = Watch(std::chrono::milliseconds(0), 10,
                              [](int question) -> Expected<rpc::Caller> {
                                if (question > 3)
                                  return Unauthenticated("revoked");
                                return As(v1::ROLE_REVIEWER);
                              });
  EXPECT_THAT(status, testing::FailsWith(Code::kUnauthenticated));
  EXPECT_EQ(sink_.written, 3);
}

TEST_F(MethodGateTest, AStreamEndsWithTheRoleItWasMadeFor) {
  // Both roles may call it; only what they see differs.
  const Status status =
      Watch(std::chrono::milliseconds(0), 10, [](int question) {
        return As(question > 0 ? v1::ROLE_REVIEWER : v1::ROLE_ADMIN);
      });
  EXPECT_THAT(status, testing::FailsWith(Code::kPermissionDenied));
  EXPECT_EQ(sink_.written, 0);
}

TEST_F(MethodGateTest, AFloodOfMessagesIsNotAFloodOfQuestions) {
  EXPECT_TRUE(Watch(std::chrono::hours(1), 1000,
                    [](int) { return As(v1::ROLE_REVIEWER); }));
  EXPECT_EQ(sink_.written, 1000);
  EXPECT_EQ(asked_, 1);
}

}  // namespace
}  // namespace assay::gateway
