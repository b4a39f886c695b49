#include "services/attempts/lost_link_service.h"

#include <gmock/gmock.h>

#include <set>

#include "tests/services/installation/installation.h"

namespace assay::attempts {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::Installation;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::SizeIs;

class LostLinkServiceTest : public testing::ServiceTest {
 protected:
  LostLinkServiceTest()
      : service_(*assay_.parts().store, assay_.clock, "http://assay.test",
                 true) {
    assay_.MakeAssignment();
    service_.Register(methods_);
  }

  v1::CreateInvitationResponse Invite(const std::string& email) {
    v1::CreateInvitationRequest request;
    request.set_assignment("assignments/orders");
    request.set_candidate_name("Ada");
    request.set_candidate_email(email);
    return assay_
        .Call<v1::CreateInvitationResponse>(
            Installation::Admin(), "InvitationService/CreateInvitation",
            request)
        .value();
  }
  Status Ask(const std::string& email, const std::string& peer = "10.0.0.1:1") {
    auto request = std::make_unique<v1::RequestLinkRequest>();
    request->set_email(email);
    const auto answer = assay_.loop.Await(
        methods_.Find("assay.v1.InvitationService/RequestLink")
            ->unary({.peer = peer}, std::move(request)));
    if (!answer) return std::unexpected(answer.error());
    return {};
  }
  Expected<v1::AcceptInvitationResponse> Accept(const std::string& secret) {
    v1::AcceptInvitationRequest request;
    request.set_secret(secret);
    return assay_.Call<v1::AcceptInvitationResponse>(
        {}, "InvitationService/AcceptInvitation", request);
  }
  // The secrets of all links that wait to be mailed to `recipient`.
  std::set<std::string> Mailed(const std::string& recipient) {
    const auto messages = assay_.Read([](storage::Transaction& tx) {
      return tx.notifications.List({.size = 1'000});
    });
    std::set<std::string> secrets;
    for (const storage::NotificationRecord& message : messages->items) {
      EXPECT_EQ(message.recipient, recipient);
      const auto at = message.body.find("#") + 1;
      secrets.insert(message.body.substr(at, message.body.find('\n', at) - at));
    }
    return secrets;
  }
  std::size_t AuditRecords() {
    return assay_
        .Read([](storage::Transaction& tx) { return tx.audit.List(0, 1'000); })
        ->size();
  }

  rpc::MethodRegistry methods_;
  LostLinkService service_;
};

TEST_F(LostLinkServiceTest, ALinkGoesToTheAddressAndTheOldOneKeepsWorking) {
  const auto invited = Invite("Ada@Example.org");
  ASSERT_THAT(Ask("ada@example.org"), IsOk());
  const auto secrets = Mailed("Ada@Example.org");
  ASSERT_THAT(secrets, SizeIs(1));
  const auto by_mail = Accept(*secrets.begin());
  const auto by_first = Accept(invited.secret());
  ASSERT_THAT(by_mail, IsOk());
  ASSERT_THAT(by_first, IsOk());
  EXPECT_EQ(by_mail->attempt().name(), by_first->attempt().name());
}

TEST_F(LostLinkServiceTest, AnUnknownAddressIsAnsweredTheSame) {
  Invite("ada@example.org");
  const std::size_t before = AuditRecords();
  EXPECT_THAT(Ask("eve@example.org"), IsOk());
  EXPECT_THAT(Ask("%@example.org"), IsOk());
  EXPECT_THAT(Mailed(""), IsEmpty());
  // The same work, so that the time tells nothing either.
  EXPECT_EQ(AuditRecords(), before + 2);
}

TEST_F(LostLinkServiceTest, AnAddressIsNotFloodedAndWhoAsksIsNotTold) {
  Invite("ada@example.org");
  for (int i = 0; i < 3; ++i) EXPECT_THAT(Ask("ada@example.org"), IsOk());
  EXPECT_THAT(Mailed("ada@example.org"), SizeIs(1));
  for (int i = 0; i < 10; ++i) {
    assay_.clock.Advance(minutes(11));
    EXPECT_THAT(Ask("ada@example.org"), IsOk());
  }
  EXPECT_THAT(Mailed("ada@example.org"), SizeIs(5));
  assay_.clock.Advance(days(1));
  EXPECT_THAT(Ask("ada@example.org"), IsOk());
  EXPECT_THAT(Mailed("ada@example.org"), SizeIs(6));
}

TEST_F(LostLinkServiceTest, AskingIsLimitedForAPeerAndForAll) {
  const auto refused = FailsWith(Code::kResourceExhausted, "try again later");
  for (int i = 0; i < 30; ++i)
    ASSERT_THAT(Ask("x@x.org", "10.0.0.1:" + std::to_string(i)), IsOk());
  EXPECT_THAT(Ask("x@x.org", "10.0.0.1:99"), refused);
  for (int i = 0; i < 270; ++i)
    ASSERT_THAT(Ask("x@x.org", "10.1." + std::to_string(i) + ".1:1"), IsOk());
  EXPECT_THAT(Ask("x@x.org", "10.2.0.1:1"), refused);
  assay_.clock.Advance(hours(1));
  EXPECT_THAT(Ask("x@x.org"), IsOk());
}

TEST_F(LostLinkServiceTest, OnlyWhatIsOpenIsSent) {
  v1::RevokeInvitationRequest revoke;
  revoke.set_name(Invite("ada@example.org").invitation().name());
  ASSERT_THAT(
      assay_.Call<v1::RevokeInvitationResponse>(
          Installation::Admin(), "InvitationService/RevokeInvitation", revoke),
      IsOk());
  Invite("ada@example.org");
  assay_.clock.Advance(days(40));  // expired
  EXPECT_THAT(Ask("ada@example.org"), IsOk());
  EXPECT_THAT(Mailed(""), IsEmpty());
}

TEST_F(LostLinkServiceTest, ANewLinkOfTheAuthorEndsAllOthers) {
  const auto invited = Invite("ada@example.org");
  ASSERT_THAT(Ask("ada@example.org"), IsOk());
  const auto secrets = Mailed("ada@example.org");
  ASSERT_THAT(secrets, SizeIs(1));
  v1::ResendInvitationRequest resend;
  resend.set_name(invited.invitation().name());
  ASSERT_THAT(
      assay_.Call<v1::ResendInvitationResponse>(
          Installation::Admin(), "InvitationService/ResendInvitation", resend),
      IsOk());
  EXPECT_THAT(Accept(*secrets.begin()), FailsWith(Code::kUnauthenticated));
  EXPECT_THAT(Accept(invited.secret()), FailsWith(Code::kUnauthenticated));
}

TEST_F(LostLinkServiceTest, SaysWhatDoesNotWork) {
  EXPECT_THAT(Ask("ada"), FailsWith(Code::kInvalidArgument, "mail address"));
  LostLinkService without(*assay_.parts().store, assay_.clock, "", false);
  rpc::MethodRegistry methods;
  without.Register(methods);
  const auto answer = assay_.loop.Await(
      methods.Find("assay.v1.InvitationService/RequestLink")
          ->unary({}, std::make_unique<v1::RequestLinkRequest>()));
  EXPECT_THAT(answer, FailsWith(Code::kFailedPrecondition, "sends no mail"));
}

}  // namespace
}  // namespace assay::attempts
