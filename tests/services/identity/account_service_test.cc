#include "services/identity/account_service.h"

#include <fstream>

#include "assay/v1/account_service.pb.h"
#include "tests/services/installation/installation.h"

namespace assay::identity {
namespace {

using testing::FailsWith;
using testing::Installation;
using testing::IsOk;

constexpr char kPassword[] = "correct horse battery";

class AccountServiceTest : public testing::ServiceTest {
 protected:
  template <class Response, class Request>
  Expected<Response> Call(const char* method, const Request& request,
                          const rpc::Caller& caller = Installation::Admin()) {
    return assay_.Call<Response>(
        caller, std::string("AccountService/") + method, request);
  }
  Expected<v1::CreateAccountResponse> Create(
      const std::string& id, v1::Role role = v1::ROLE_REVIEWER,
      const std::string& password = kPassword) {
    v1::CreateAccountRequest request;
    request.set_account_id(id);
    request.set_role(role);
    request.set_password(password);
    return Call<v1::CreateAccountResponse>("CreateAccount", request);
  }
  Expected<v1::SignInResponse> SignIn(const std::string& id,
                                      const std::string& password = kPassword) {
    v1::SignInRequest request;
    request.set_account_id(id);
    request.set_password(password);
    return Call<v1::SignInResponse>("SignIn", request, {});
  }
  Expected<rpc::Caller> Authenticate(const v1::SignInResponse& session) {
    return assay_.loop.Await(assay_.parts().identity->Authenticate(
        "Session " + session.session_secret()));
  }
  Status Disable(const char* name, bool disabled) {
    v1::SetAccountDisabledRequest request;
    request.set_name(name);
    request.set_disabled(disabled);
    const auto done =
        Call<v1::SetAccountDisabledResponse>("SetAccountDisabled", request);
    if (!done) return std::unexpected(done.error());
    return {};
  }
};

TEST_F(AccountServiceTest, ASessionHasTheRoleThatItsAccountHasNow) {
  ASSERT_THAT(Create("grace"), IsOk());
  const auto session = SignIn("grace");
  ASSERT_THAT(session, IsOk());
  auto caller = Authenticate(*session);
  ASSERT_THAT(caller, IsOk());
  EXPECT_EQ(caller->role, v1::ROLE_REVIEWER);
  EXPECT_EQ(caller->label, "grace");
  v1::SetAccountRoleRequest request;
  request.set_name("accounts/grace");
  request.set_role(v1::ROLE_OBSERVER);
  ASSERT_THAT(Call<v1::SetAccountRoleResponse>("SetAccountRole", request),
              IsOk());
  EXPECT_EQ(Authenticate(*session)->role, v1::ROLE_OBSERVER);
  const auto self =
      Call<v1::GetSelfResponse>("GetSelf", v1::GetSelfRequest(), *caller);
  ASSERT_THAT(self, IsOk());
  EXPECT_EQ(self->account().name(), "accounts/grace");
  EXPECT_EQ(self->account().session_count(), 1);
}

TEST_F(AccountServiceTest, WrongNameAndWrongPasswordAreToldAlike) {
  ASSERT_THAT(Create("grace"), IsOk());
  const auto wrong = SignIn("grace", "correct horse batterz");
  const auto nobody = SignIn("nobody");
  const auto odd = SignIn("'; DROP TABLE accounts; --");
  ASSERT_THAT(wrong, FailsWith(Code::kUnauthenticated));
  ASSERT_THAT(nobody, FailsWith(Code::kUnauthenticated));
  ASSERT_THAT(odd, FailsWith(Code::kUnauthenticated));
  EXPECT_EQ(wrong.error().message, nobody.error().message);
  ASSERT_THAT(Disable("accounts/grace", true), IsOk());
  const auto disabled = SignIn("grace");
  ASSERT_THAT(disabled, FailsWith(Code::kUnauthenticated));
  EXPECT_EQ(disabled.error().message, wrong.error().message);
}

TEST_F(AccountServiceTest, SessionsEndUnusedAndInTheEnd) {
  ASSERT_THAT(Create("grace"), IsOk());
  const auto rests = SignIn("grace");
  assay_.clock.Advance(kSessionRest);
  EXPECT_THAT(Authenticate(*rests), FailsWith(Code::kUnauthenticated));
  const auto used = SignIn("grace");
  const auto begin = assay_.clock.Now();
  while (assay_.clock.Now() + std::chrono::hours(11) < begin + kSessionLife) {
    ASSERT_THAT(Authenticate(*used), IsOk());
    assay_.clock.Advance(std::chrono::hours(11));
  }
  ASSERT_THAT(Authenticate(*used), IsOk());
  assay_.clock.Advance(begin + kSessionLife - assay_.clock.Now());
  EXPECT_THAT(Authenticate(*used), FailsWith(Code::kUnauthenticated));
}

TEST_F(AccountServiceTest, EachWayToRevokeEndsSessionsAtOnce) {
  ASSERT_THAT(Create("grace"), IsOk());
  const auto first = SignIn("grace");
  ASSERT_THAT(Disable("accounts/grace", true), IsOk());
  EXPECT_THAT(Authenticate(*first), FailsWith(Code::kUnauthenticated));
  ASSERT_THAT(Disable("accounts/grace", false), IsOk());
  EXPECT_THAT(Authenticate(*first), FailsWith(Code::kUnauthenticated));

  const auto second = SignIn("grace");
  v1::SetAccountPasswordRequest reset;
  reset.set_name("accounts/grace");
  const auto made =
      Call<v1::SetAccountPasswordResponse>("SetAccountPassword", reset);
  ASSERT_THAT(made, IsOk());
  EXPECT_THAT(Authenticate(*second), FailsWith(Code::kUnauthenticated));
  EXPECT_THAT(SignIn("grace"), FailsWith(Code::kUnauthenticated));

  const auto third = SignIn("grace", made->generated_password());
  ASSERT_THAT(third, IsOk());
  v1::RevokeSessionsRequest revoke;
  revoke.set_name("accounts/grace");
  const auto revoked =
      Call<v1::RevokeSessionsResponse>("RevokeSessions", revoke);
  ASSERT_THAT(revoked, IsOk());
  EXPECT_EQ(revoked->revoked(), 1);
  EXPECT_THAT(Authenticate(*third), FailsWith(Code::kUnauthenticated));
}

TEST_F(AccountServiceTest, SigningOutEndsThisSessionOnly) {
  ASSERT_THAT(Create("grace"), IsOk());
  const auto here = SignIn("grace");
  const auto there = SignIn("grace");
  ASSERT_THAT(Call<v1::SignOutResponse>("SignOut", v1::SignOutRequest(),
                                        *Authenticate(*here)),
              IsOk());
  EXPECT_THAT(Authenticate(*here), FailsWith(Code::kUnauthenticated));
  EXPECT_THAT(Authenticate(*there), IsOk());
}

TEST_F(AccountServiceTest, APasswordIsChangedByWhoeverKnowsIt) {
  ASSERT_THAT(Create("grace"), IsOk());
  const auto here = SignIn("grace");
  const auto there = SignIn("grace");
  const auto caller = *Authenticate(*here);
  v1::ChangePasswordRequest request;
  request.set_current_password("not this one");
  request.set_new_password("a better password");
  EXPECT_THAT(
      Call<v1::ChangePasswordResponse>("ChangePassword", request, caller),
      FailsWith(Code::kInvalidArgument, "current"));
  request.set_current_password(kPassword);
  ASSERT_THAT(
      Call<v1::ChangePasswordResponse>("ChangePassword", request, caller),
      IsOk());
  EXPECT_THAT(Authenticate(*here), IsOk());
  EXPECT_THAT(Authenticate(*there), FailsWith(Code::kUnauthenticated));
  EXPECT_THAT(SignIn("grace", "a better password"), IsOk());
  EXPECT_THAT(Call<v1::ChangePasswordResponse>("ChangePassword", request),
              FailsWith(Code::kFailedPrecondition, "token"));
}

TEST_F(AccountServiceTest, TriesAreLimitedAndTheRightPasswordToo) {
  ASSERT_THAT(Create("grace"), IsOk());
  for (std::size_t i = 0; i < SignInLimit::kPerNameAndAddress; ++i)
    EXPECT_THAT(SignIn("grace", "wrong password"),
                FailsWith(Code::kUnauthenticated));
  EXPECT_THAT(SignIn("grace"), FailsWith(Code::kResourceExhausted, "900 s"));
  assay_.clock.Advance(SignInLimit::kWindow);
  EXPECT_THAT(SignIn("grace"), IsOk());
}

TEST_F(AccountServiceTest, WhatIsNotAcceptableIsSaid) {
  EXPECT_THAT(Create("Grace Hopper"),
              FailsWith(Code::kInvalidArgument, "[a-z0-9._-]"));
  EXPECT_THAT(Create("grace", v1::ROLE_WORKER),
              FailsWith(Code::kInvalidArgument, "role"));
  EXPECT_THAT(Create("grace", v1::ROLE_CANDIDATE),
              FailsWith(Code::kInvalidArgument, "role"));
  EXPECT_THAT(Create("grace", v1::ROLE_ADMIN, "short"),
              FailsWith(Code::kInvalidArgument, "5 bytes"));
  ASSERT_THAT(Create("grace"), IsOk());
  EXPECT_THAT(Create("grace"), FailsWith(Code::kAlreadyExists, "grace"));
  EXPECT_THAT(Disable("accounts/none", true), FailsWith(Code::kNotFound));
}

TEST_F(AccountServiceTest, NeitherStoreNorAuditLogHoldsAPassword) {
  ASSERT_THAT(Create("grace"), IsOk());
  const auto session = SignIn("grace");
  std::string bytes;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(assay_.directory.path())) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    bytes.append(std::istreambuf_iterator<char>(file), {});
  }
  EXPECT_NE(bytes.find("$argon2id$"), std::string::npos);
  EXPECT_NE(bytes.find("account.sign_in"), std::string::npos);
  EXPECT_EQ(bytes.find(kPassword), std::string::npos);
  EXPECT_EQ(bytes.find(session->session_secret()), std::string::npos);
}

// Without https a password is taken from this machine only.
TEST_F(AccountServiceTest, PasswordsDoNotTravelInTheOpen) {
  ASSERT_THAT(Create("grace"), IsOk());
  const rpc::Method& method =
      *assay_.parts().registry.Find("assay.v1.AccountService/SignIn");
  for (const auto& [peer, code] :
       {std::pair{"192.0.2.7", Code::kFailedPrecondition},
        std::pair{"ipv4:192.0.2.7:4711", Code::kFailedPrecondition},
        std::pair{"ipv6:[::1]:4711", Code::kOk},
        std::pair{"ipv4:127.0.0.1:4711", Code::kOk}}) {
    auto request = std::make_unique<v1::SignInRequest>();
    request->set_account_id("grace");
    request->set_password(kPassword);
    const auto answer = assay_.loop.Await(
        method.unary(rpc::CallContext{.peer = peer}, std::move(request)));
    EXPECT_EQ(answer ? Code::kOk : answer.error().code, code) << peer;
  }
}

}  // namespace
}  // namespace assay::identity
