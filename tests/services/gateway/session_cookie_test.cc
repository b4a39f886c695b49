#include "services/gateway/session_cookie.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "assay/v1/account_service.pb.h"
#include "tests/testing/matchers.h"

namespace assay::gateway {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::Not;

HttpRequest With(HeaderFields fields) {
  HttpRequest request{.method = "POST"};
  request.fields = std::move(fields);
  return request;
}

TEST(SessionCookieTest, TakesItsOwnCookieFromItsOwnPagesOnly) {
  const SessionCookie cookie(false);
  const std::pair<std::string, std::string> held = {
      "Cookie", "other=1; assay_session=asy_x; more=2"};
  EXPECT_EQ(cookie.Authorization(With({held, {"Origin", "http://here"}})),
            "Session asy_x");
  EXPECT_EQ(
      cookie.Authorization(With({held, {"Sec-Fetch-Site", "same-origin"}})),
      "Session asy_x");
  EXPECT_THAT(cookie.Authorization(With({held})),
              FailsWith(Code::kPermissionDenied));
  EXPECT_THAT(
      cookie.Authorization(With({held, {"Sec-Fetch-Site", "cross-site"}})),
      FailsWith(Code::kPermissionDenied));
}

TEST(SessionCookieTest, ATokenGoesBeforeACookie) {
  const SessionCookie cookie(false);
  EXPECT_EQ(cookie.Authorization(With({{"Authorization", "Bearer asy_t"},
                                       {"Cookie", "assay_session=asy_x"}})),
            "Bearer asy_t");
  EXPECT_EQ(cookie.Authorization(With({})), "");
}

// What a page without https, or another host of the domain, has set is not
// taken where https is to be had.
TEST(SessionCookieTest, OverHttpsOnlyTheHostCookieCounts) {
  const SessionCookie cookie(true);
  EXPECT_EQ(cookie.Authorization(With(
                {{"Cookie", "assay_session=asy_x"}, {"Origin", "https://h"}})),
            "");
  EXPECT_EQ(cookie.Authorization(With({{"Cookie", "__Host-assay_session=asy_x"},
                                       {"Origin", "https://h"}})),
            "Session asy_x");
}

TEST(SessionCookieTest, TheSecretMovesOutOfTheAnswer) {
  for (const bool https : {false, true}) {
    v1::SignInResponse response;
    response.set_session_secret("asy_x");
    HeaderFields fields;
    SessionCookie(https).Apply(response, fields);
    EXPECT_EQ(response.session_secret(), "");
    ASSERT_EQ(fields.size(), 1);
    EXPECT_EQ(fields[0].first, "Set-Cookie");
    EXPECT_THAT(fields[0].second, HasSubstr("assay_session=asy_x; Path=/;"));
    EXPECT_THAT(fields[0].second, HasSubstr("; HttpOnly; SameSite=Strict"));
    EXPECT_THAT(fields[0].second, Not(HasSubstr("Domain")));
    EXPECT_EQ(fields[0].second.starts_with("__Host-"), https);
    EXPECT_EQ(fields[0].second.ends_with("; Secure"), https);
  }
}

TEST(SessionCookieTest, SigningOutTakesTheCookieAway) {
  v1::SignOutResponse response;
  HeaderFields fields;
  SessionCookie(true).Apply(response, fields);
  ASSERT_EQ(fields.size(), 1);
  EXPECT_THAT(fields[0].second, HasSubstr("Max-Age=0;"));
}

}  // namespace
}  // namespace assay::gateway
