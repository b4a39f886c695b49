#include "services/attempts/invitation_service.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "assay/v1/invitation_service.pb.h"
#include "tests/services/installation/installation.h"

namespace assay::attempts {
namespace {

using std::chrono::days;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::Installation;
using testing::IsOk;

class InvitationServiceTest : public testing::ServiceTest {
 protected:
  InvitationServiceTest() { assay_.MakeAssignment(); }

  v1::CreateInvitationRequest Request(const std::string& id = "") {
    v1::CreateInvitationRequest request;
    request.set_assignment("assignments/orders");
    request.set_candidate_name("Ada");
    request.set_candidate_email("ada@example.org");
    request.set_request_id(id);
    return request;
  }
  Expected<v1::CreateInvitationResponse> Invite(
      const v1::CreateInvitationRequest& request) {
    return assay_.Call<v1::CreateInvitationResponse>(
        Installation::Admin(), "InvitationService/CreateInvitation", request);
  }
  Expected<v1::AcceptInvitationResponse> Accept(const std::string& secret) {
    v1::AcceptInvitationRequest request;
    request.set_secret(secret);
    return assay_.Call<v1::AcceptInvitationResponse>(
        {}, "InvitationService/AcceptInvitation", request);
  }
  Expected<v1::RevokeInvitationResponse> Revoke(const std::string& name) {
    v1::RevokeInvitationRequest request;
    request.set_name(name);
    return assay_.Call<v1::RevokeInvitationResponse>(
        Installation::Admin(), "InvitationService/RevokeInvitation", request);
  }
};

TEST_F(InvitationServiceTest, AcceptingMakesAnAttemptWhoseClockStands) {
  const auto invited = Invite(Request());
  ASSERT_THAT(invited, IsOk());
  EXPECT_THAT(invited->link(), HasSubstr("#" + invited->secret()));
  const auto accepted = Accept(invited->secret());
  ASSERT_THAT(accepted, IsOk());
  EXPECT_EQ(accepted->attempt().state(), v1::Attempt::STATE_ACCEPTED);
  EXPECT_FALSE(accepted->attempt().clock().has_deadline());
  EXPECT_EQ(accepted->attempt().title(), "Orders");
  const auto caller = assay_.loop.Await(
      assay_.parts().identity->Authenticate("Bearer " + accepted->token()));
  EXPECT_EQ(caller->role, v1::ROLE_CANDIDATE);
  EXPECT_EQ("attempts/" + caller->attempt.str(), accepted->attempt().name());
}

TEST_F(InvitationServiceTest, AcceptingAgainIsTheSameAttemptAndAFreshToken) {
  const std::string secret = Invite(Request())->secret();
  const auto first = Accept(secret);
  // Long after the invitation's expiry: the link opens the attempt.
  assay_.clock.Advance(days(60));
  const auto again = Accept(secret);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->attempt().name(), first->attempt().name());
  EXPECT_NE(again->token(), first->token());
}

TEST_F(InvitationServiceTest, TheStoreHoldsNoSecret) {
  const auto invited = Invite(Request("r1"));
  const auto accepted = Accept(invited->secret());
  for (const auto& entry :
       std::filesystem::directory_iterator(assay_.directory.path())) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(bytes.find(invited->secret()), std::string::npos) << entry;
    EXPECT_EQ(bytes.find(accepted->token()), std::string::npos) << entry;
  }
}

TEST_F(InvitationServiceTest, ARepeatedRequestIsTheSameInvitation) {
  const auto first = Invite(Request("r1"));
  const auto again = Invite(Request("r1"));
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->invitation().name(), first->invitation().name());
  // The first answer was lost, and with it its secret.
  EXPECT_THAT(Accept(again->secret()), IsOk());
  EXPECT_THAT(Accept(first->secret()), FailsWith(Code::kUnauthenticated));
}

TEST_F(InvitationServiceTest, AnUnknownSecretOpensNothing) {
  EXPECT_THAT(Accept("guess"), FailsWith(Code::kUnauthenticated));
  EXPECT_THAT(Accept(""), FailsWith(Code::kUnauthenticated));
}

TEST_F(InvitationServiceTest, ExpiredAndRevokedInvitationsSayWhatToDo) {
  const auto expired = Invite(Request());
  const auto revoked = Invite(Request());
  ASSERT_THAT(Revoke(revoked->invitation().name()), IsOk());
  EXPECT_THAT(Revoke(revoked->invitation().name()), IsOk());
  EXPECT_THAT(Accept(revoked->secret()),
              FailsWith(Code::kFailedPrecondition, "withdrawn"));
  assay_.clock.Advance(days(30));
  EXPECT_THAT(Accept(expired->secret()),
              FailsWith(Code::kFailedPrecondition, "expired"));
  const auto list = assay_.Call<v1::ListInvitationsResponse>(
      Installation::Admin(), "InvitationService/ListInvitations",
      v1::ListInvitationsRequest());
  ASSERT_EQ(list->invitations_size(), 2);
  EXPECT_EQ(list->invitations(0).state() + list->invitations(1).state(),
            v1::Invitation::STATE_EXPIRED + v1::Invitation::STATE_REVOKED);
}

TEST_F(InvitationServiceTest, AnAcceptedInvitationCannotBeWithdrawn) {
  const auto invited = Invite(Request());
  ASSERT_THAT(Accept(invited->secret()), IsOk());
  EXPECT_THAT(Revoke(invited->invitation().name()),
              FailsWith(Code::kFailedPrecondition, "accepted"));
}

TEST_F(InvitationServiceTest, NamesWhatIsWrongWithARequest) {
  v1::CreateInvitationRequest request = Request();
  request.set_candidate_email("not an address");
  EXPECT_THAT(Invite(request),
              FailsWith(Code::kInvalidArgument, "not an address"));
  request = Request();
  request.clear_candidate_name();
  EXPECT_THAT(Invite(request),
              FailsWith(Code::kInvalidArgument, "candidate_name"));
  request = Request();
  request.set_assignment("assignments/none");
  EXPECT_THAT(Invite(request), FailsWith(Code::kNotFound, "none"));
  request.set_assignment("orders");
  EXPECT_THAT(Invite(request),
              FailsWith(Code::kInvalidArgument, "assignments/"));
}

}  // namespace
}  // namespace assay::attempts
