#include <gmock/gmock.h>
#include <sodium.h>

#include <map>

#include "assay/v1/access.pb.h"
#include "assay/v1/attempt_service.grpc.pb.h"
#include "assay/v1/system_service.grpc.pb.h"
#include "tests/services/coordinator/server_fixture.h"
#include "tests/services/gateway/raw_http.h"

// What the web port serves beside methods, to each role, to another candidate
// and to nobody.

namespace assay::testing {
namespace {

constexpr v1::Role kStaff[] = {v1::ROLE_ADMIN, v1::ROLE_AUTHOR,
                               v1::ROLE_REVIEWER, v1::ROLE_OBSERVER};

std::string Basic(const std::string& password) {
  const std::string plain = "candidate:" + password;
  std::string encoded(
      sodium_base64_ENCODED_LEN(plain.size(), sodium_base64_VARIANT_ORIGINAL),
      '\0');
  sodium_bin2base64(encoded.data(), encoded.size(),
                    reinterpret_cast<const unsigned char*>(plain.data()),
                    plain.size(), sodium_base64_VARIANT_ORIGINAL);
  return "Basic " + std::string(encoded.c_str());
}
std::string Bearer(const std::string& token) { return "Bearer " + token; }

class OtherDoorsTest : public ServerFixture {
 protected:
  OtherDoorsTest() {
    MakeAssignment();
    own_ = MakeAttempt("Ada");
    other_ = MakeAttempt("Eve");
    tokens_[v1::ROLE_CANDIDATE] = own_.token;
    tokens_[v1::ROLE_WORKER] = WorkerToken();
    tokens_[v1::ROLE_NODE] = NodeToken();
    for (const v1::Role role : kStaff) tokens_[role] = TokenOf(role);
  }

  int Get(const std::string& path, const std::string& authorization) {
    const std::string field =
        authorization.empty() ? "" : "Authorization: " + authorization + "\r\n";
    return StatusOf(Exchange(web_port(), "GET " + path +
                                             " HTTP/1.1\r\nHost: localhost\r\n"
                                             "Connection: close\r\n" +
                                             field + "\r\n"));
  }

  // What git asks first, and what it sends then, to fetch or to push.
  std::vector<int> Git(const StartedAttempt& whose, const std::string& service,
                       const std::string& authorization) {
    const std::string path = "/git/" + whose.repository + ".git/";
    const std::string field =
        authorization.empty() ? "" : "Authorization: " + authorization + "\r\n";
    return {Get(path + "info/refs?service=" + service, authorization),
            StatusOf(Exchange(
                web_port(),
                Post("/" + path.substr(1) + service,
                     "application/x-" + service + "-request", "0000", field)))};
  }

  std::string ReaderPassword() {
    v1::CreateGitTokenRequest request;
    request.set_name(own_.name);
    v1::CreateGitTokenResponse response;
    EXPECT_TRUE(v1::AttemptService::NewStub(channel())
                    ->CreateGitToken(As(tokens_[v1::ROLE_REVIEWER]).get(),
                                     request, &response)
                    .ok());
    return response.password();
  }

  std::map<v1::Role, std::string> tokens_;
  StartedAttempt own_;
  StartedAttempt other_;
};

TEST_F(OtherDoorsTest, GitOpensToPasswordsOfItsRepositoryOnly) {
  const std::vector<int> fine = {200, 200};
  const std::vector<int> unknown = {401, 401};
  const std::vector<int> refused = {403, 403};
  for (const char* service : {"git-upload-pack", "git-receive-pack"}) {
    SCOPED_TRACE(service);
    EXPECT_EQ(Git(own_, service, ""), unknown);
    // No token of the API is a password of git, not the admin's either.
    for (const auto& [role, token] : tokens_) {
      EXPECT_EQ(Git(own_, service, Bearer(token)), unknown)
          << v1::Role_Name(role);
      EXPECT_EQ(Git(own_, service, Basic(token)), unknown)
          << v1::Role_Name(role);
    }
    EXPECT_EQ(Git(own_, service, Basic(own_.git_password)), fine);
    EXPECT_EQ(Git(own_, service, Basic(other_.git_password)), refused);
    const std::string reader = ReaderPassword();
    const bool fetches = std::string_view(service) == "git-upload-pack";
    EXPECT_EQ(Git(own_, service, Basic(reader)), fetches ? fine : refused);
    EXPECT_EQ(Git(other_, service, Basic(reader)), refused);
  }
}

TEST_F(OtherDoorsTest, MetricsAreForStaffAndHealthForAnybody) {
  EXPECT_EQ(Get("/metrics", ""), 401);
  for (const v1::Role role : kStaff)
    EXPECT_EQ(Get("/metrics", Bearer(tokens_[role])), 200);
  for (const v1::Role role :
       {v1::ROLE_CANDIDATE, v1::ROLE_WORKER, v1::ROLE_NODE})
    EXPECT_EQ(Get("/metrics", Bearer(tokens_[role])), 403);
  EXPECT_EQ(Get("/metrics", Basic(own_.git_password)), 401);
  EXPECT_EQ(Get("/healthz", ""), 200);
  EXPECT_EQ(Get("/readyz", ""), 200);
}

// Whatever else is asked for is a file of the dashboard or nothing: what is in
// the data directory has no address.
TEST_F(OtherDoorsTest, NothingElseIsAWayToData) {
  const std::string page = Exchange(
      web_port(),
      "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  for (const char* path :
       {"/admin.token", "/blobs/0", "/data/assay.sqlite", "/../admin.token",
        "/%2e%2e/admin.token", "/git/../admin.token", "/assets/../admin.token",
        "/repositories/attempts", "/api/attempts", "/exports", "/hooks"}) {
    SCOPED_TRACE(path);
    const std::string answer = Exchange(
        web_port(), "GET " + std::string(path) +
                        " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                        "Authorization: " +
                        Bearer(AdminToken()) + "\r\n\r\n");
    EXPECT_EQ(answer.find(AdminToken()), std::string::npos);
    // The page that leads every address of the dashboard, or a refusal.
    if (StatusOf(answer) == 200) EXPECT_EQ(BodyOf(answer), BodyOf(page));
  }
}

}  // namespace
}  // namespace assay::testing
