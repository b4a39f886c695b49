#include <gmock/gmock.h>

#include "tests/services/coordinator/server_fixture.h"
#include "tests/services/gateway/raw_http.h"

namespace assay::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class CloneTest : public ServerFixture {
 protected:
  CloneTest() {
    MakeAssignment();
    attempt_ = MakeAttempt();
  }
  StartedAttempt attempt_;
};

TEST_F(CloneTest, EveryProtocolVersionAndDepthWorks) {
  for (const char* options :
       {"-c protocol.version=0", "-c protocol.version=1",
        "-c protocol.version=2", "--depth 1", "--no-tags"}) {
    Git(std::string("clone -q ") + options + " " + attempt_.private_url +
        " work");
    EXPECT_EQ(Git("-C work log --format=%s"), "Template") << options;
    EXPECT_EQ(Git("-C work symbolic-ref --short HEAD"), "main");
    std::filesystem::remove_all(directory_.path() / "work");
  }
}

TEST_F(CloneTest, FetchesWhatOthersPushedAlsoWithALongNegotiation) {
  Git("clone -q " + attempt_.private_url + " other");
  Clone(attempt_);
  // More commits than one request names, so that git compresses it.
  for (int i = 0; i < 40; ++i)
    Git("-C other commit -q --allow-empty -m " + std::to_string(i));
  Commit("a", "1");
  Git("-C work push -q origin HEAD:main");
  Git("-C other -c protocol.version=0 fetch -q origin");
  EXPECT_EQ(Git("-C other rev-parse origin/main"),
            Git("-C work rev-parse HEAD"));
}

TEST_F(CloneTest, AsksForATokenFirst) {
  const std::string response = Exchange(
      web_port(), "GET /git/" + attempt_.repository +
                      ".git/info/refs?service=git-upload-pack HTTP/1.1\r\n"
                      "Host: x\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(StatusOf(response), 401);
  EXPECT_THAT(response, HasSubstr("WWW-Authenticate: Basic realm=\"Assay\""));
}

TEST_F(CloneTest, WrongTokensAreToldApart) {
  const StartedAttempt other = MakeAttempt();
  const auto clone_with = [&](const std::string& password) {
    std::string url = attempt_.clone_url;
    url.insert(7, "x-token:" + password + "@");
    int status = 0;
    const std::string output = Git("clone " + url + " work", &status);
    EXPECT_NE(status, 0);
    return output;
  };
  EXPECT_THAT(clone_with("wrong"), HasSubstr("Authentication failed"));
  EXPECT_THAT(clone_with(attempt_.token), HasSubstr("`assay attempt token`"));
  EXPECT_THAT(clone_with(other.git_password),
              HasSubstr("this token opens another repository"));
}

TEST_F(CloneTest, ExpiredTokenIsRefused) {
  // A candidate's password outlasts any attempt, and no more.
  clock_.Advance(std::chrono::days(30));
  int status = 0;
  Git("clone " + attempt_.private_url + " before", &status);
  EXPECT_EQ(status, 0);
  clock_.Advance(std::chrono::days(2));
  EXPECT_THAT(Git("clone " + attempt_.private_url + " work", &status),
              HasSubstr("Authentication failed"));
}

TEST_F(CloneTest, ServesNothingButTheSmartProtocolsExactPaths) {
  const std::string repository = "/git/" + attempt_.repository + ".git";
  for (const std::string& path :
       {repository + "/HEAD", repository + "/config",
        repository + "/objects/info/alternates", repository + "/info/refs/",
        std::string("/git/../data/store.db"), std::string("/git/"),
        repository + "/git-upload-archive", "/git/..%2f" + attempt_.repository,
        "/git/" + std::string(4'000, 'a') + ".git/info/refs"}) {
    const std::string response =
        Exchange(web_port(), "GET " + path +
                                 " HTTP/1.1\r\nHost: x\r\n"
                                 "Connection: close\r\n\r\n");
    EXPECT_EQ(StatusOf(response), 404) << path;
  }
}

TEST_F(CloneTest, SubmissionRefsAreNotShown) {
  Clone(attempt_);
  Commit("a", "1");
  Git("-C work push -q origin HEAD:main");
  v1::CreateSubmissionRequest request;
  request.set_attempt(attempt_.name);
  v1::CreateSubmissionResponse response;
  const auto status =
      v1::SubmissionService::NewStub(channel())->CreateSubmission(
          As(attempt_.token).get(), request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(Git("-C " + RepositoryPath(attempt_).string() + " for-each-ref"),
              HasSubstr("refs/submissions/1"));
  EXPECT_THAT(Git("ls-remote " + attempt_.private_url),
              Not(HasSubstr("submissions")));
}

}  // namespace
}  // namespace assay::testing
