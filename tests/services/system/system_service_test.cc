#include "services/system/system_service.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "assay/v1/suite_service.pb.h"
#include "assay/v1/system_service.pb.h"
#include "tests/services/installation/installation.h"

namespace assay::system {
namespace {

using testing::FailsWith;
using testing::Installation;
using testing::IsOk;

std::vector<std::string> Without(const std::set<std::string>& all,
                                 const std::set<std::string>& these) {
  std::vector<std::string> left;
  std::ranges::set_difference(all, these, std::back_inserter(left));
  return left;
}

class SystemServiceTest : public testing::ServiceTest {
 protected:
  Expected<v1::CreateTokenResponse> Create(v1::Role role,
                                           const std::string& label = "x") {
    v1::CreateTokenRequest request;
    request.set_role(role);
    request.set_label(label);
    return assay_.Call<v1::CreateTokenResponse>(
        Installation::Admin(), "SystemService/CreateToken", request);
  }
  Expected<rpc::Caller> Authenticate(const std::string& token) {
    return assay_.loop.Await(
        assay_.parts().identity->Authenticate("Bearer " + token));
  }
};

TEST_F(SystemServiceTest, ATokenWorksUntilItIsRevoked) {
  const auto token = Create(v1::ROLE_REVIEWER, "Grace");
  ASSERT_THAT(token, IsOk());
  const auto caller = Authenticate(token->token());
  ASSERT_THAT(caller, IsOk());
  EXPECT_EQ(caller->role, v1::ROLE_REVIEWER);
  EXPECT_EQ(caller->label, "Grace");
  v1::RevokeTokenRequest revoke;
  revoke.set_name(token->name());
  for (int i = 0; i < 2; ++i)
    ASSERT_THAT(assay_.Call<v1::RevokeTokenResponse>(
                    Installation::Admin(), "SystemService/RevokeToken", revoke),
                IsOk());
  EXPECT_THAT(Authenticate(token->token()), FailsWith(Code::kUnauthenticated));
  revoke.set_name("tokens/tok_none");
  EXPECT_THAT(assay_.Call<v1::RevokeTokenResponse>(
                  Installation::Admin(), "SystemService/RevokeToken", revoke),
              FailsWith(Code::kNotFound));
}

TEST_F(SystemServiceTest, CandidatesTokensComeByInvitation) {
  EXPECT_THAT(Create(v1::ROLE_CANDIDATE),
              FailsWith(Code::kInvalidArgument, "invit"));
  EXPECT_THAT(Create(v1::ROLE_UNSPECIFIED),
              FailsWith(Code::kInvalidArgument, "role"));
  EXPECT_THAT(Create(v1::ROLE_ADMIN, ""),
              FailsWith(Code::kInvalidArgument, "label"));
}

TEST_F(SystemServiceTest, TokensAreAuditedWithoutTheirSecret) {
  const auto token = Create(v1::ROLE_AUTHOR, "Ada");
  const auto audit = assay_.Read(
      [](storage::Transaction& tx) { return tx.audit.List(0, 10); });
  EXPECT_EQ(audit->back().action, "token.create");
  EXPECT_EQ(audit->back().subject, token->name());
  EXPECT_EQ(audit->back().detail.find(token->token()), std::string::npos);
}

TEST_F(SystemServiceTest, SaysHowMuchIsQueuedAndWhoWorks) {
  assay_.MakeAssignment();
  assay_.Push(assay_.Begin(), 'a');
  assay_.Push(assay_.Begin(), 'b');
  ASSERT_THAT(
      assay_.loop.Await(assay_.parts().queue->TakeNext(
          {runs::Room{.worker = WorkerId("w")}}, std::chrono::seconds(10))),
      IsOk());
  const auto state = assay_.Call<v1::GetSystemResponse>(
      Installation::As(v1::ROLE_OBSERVER), "SystemService/GetSystem",
      v1::GetSystemRequest());
  ASSERT_THAT(state, IsOk());
  EXPECT_EQ(state->queued_runs(), 1);
  EXPECT_EQ(state->running_runs(), 1);
  EXPECT_EQ(state->workers_size(), 1);
  EXPECT_EQ(state->version(), "test");
}

// Every method that a proto of assay.v1 declares is served, so that none
// exists on paper only.
TEST_F(SystemServiceTest, EveryDeclaredMethodIsServed) {
  std::set<std::string> declared;
  // Descriptors that nothing names are not linked.
  ASSERT_NE(v1::CheckSuiteRequest::descriptor(), nullptr);
  for (const char* file :
       {"assay/v1/account_service.proto", "assay/v1/overview_service.proto",
        "assay/v1/assignment_service.proto", "assay/v1/attempt_service.proto",
        "assay/v1/decision_service.proto", "assay/v1/invitation_service.proto",
        "assay/v1/question_service.proto", "assay/v1/run_service.proto",
        "assay/v1/submission_service.proto", "assay/v1/suite_service.proto",
        "assay/v1/system_service.proto", "assay/v1/trace_service.proto",
        "assay/v1/worker_service.proto"}) {
    const auto* descriptor =
        google::protobuf::DescriptorPool::generated_pool()->FindFileByName(
            file);
    ASSERT_NE(descriptor, nullptr) << file;
    for (int i = 0; i < descriptor->service_count(); ++i)
      for (int j = 0; j < descriptor->service(i)->method_count(); ++j)
        declared.insert(descriptor->service(i)->full_name() + "/" +
                        descriptor->service(i)->method(j)->name());
  }
  std::set<std::string> served;
  for (const auto& [name, method] : assay_.parts().registry.methods())
    served.insert(name);
  EXPECT_THAT(Without(served, declared), ::testing::IsEmpty());
  EXPECT_THAT(Without(declared, served), ::testing::IsEmpty());
}

}  // namespace
}  // namespace assay::system
