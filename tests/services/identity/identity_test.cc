#include "services/identity/identity.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "services/identity/token_file.h"
#include "services/storage/sqlite/sqlite_store.h"
#include "tests/testing/base64.h"
#include "tests/testing/event_loop.h"
#include "tests/testing/manual_clock.h"
#include "tests/testing/matchers.h"
#include "tests/testing/temporary_directory.h"

namespace assay::identity {
namespace {

using testing::FailsWith;
using testing::IsOk;

class IdentityTest : public ::testing::Test {
 protected:
  Expected<rpc::Caller> Authenticate(const std::string& header) {
    return Await(identity_.Authenticate(header));
  }
  MintedToken Create(v1::Role role, const AttemptId& attempt = {}) {
    return *Await(identity_.CreateToken(role, "label", attempt, {}));
  }

  template <class T>
  T Await(boost::asio::awaitable<T> task) {
    return loop_.Await(std::move(task));
  }

  // Outlives the store, whose thread is still in post() when a result is here.
  testing::EventLoop loop_;
  const testing::TemporaryDirectory directory_;
  testing::ManualClock clock_;
  const std::unique_ptr<storage::Store> store_ =
      *storage::OpenSqlite(directory_.path() / "store.db");
  Identity identity_{*store_, clock_};
};

TEST_F(IdentityTest, TokenSaysWhoItsHolderIs) {
  const AttemptId attempt = AttemptId::Random();
  const MintedToken token = Create(v1::ROLE_CANDIDATE, attempt);
  EXPECT_EQ(token.secret.size(), 56);
  for (const char* scheme : {"Bearer ", "bearer ", "BEARER "}) {
    const auto caller = Authenticate(scheme + token.secret);
    ASSERT_THAT(caller, IsOk());
    EXPECT_EQ(caller->role, v1::ROLE_CANDIDATE);
    EXPECT_EQ(caller->attempt, attempt);
    EXPECT_EQ(caller->token, token.id);
  }
}

TEST_F(IdentityTest, AnythingElseIsUnauthenticatedAndNotRepeated) {
  const std::string wrong = "asy_" + std::string(52, 'q');
  for (const std::string& header :
       {std::string(), std::string("Bearer"), "Bearer " + wrong, wrong,
        "Basic " + wrong, "Bearer " + std::string(5'000, 'a'),
        std::string("Bearer  '; DROP TABLE tokens; --")}) {
    const auto caller = Authenticate(header);
    EXPECT_THAT(caller, FailsWith(Code::kUnauthenticated));
    EXPECT_EQ(caller.error().message.find(wrong), std::string::npos);
  }
}

// A store that does not answer, and says where it is.
class AwayStore final : public storage::Store {
 protected:
  void Submit(Mode, Work, Done done) override {
    done(Unavailable(
        "the store postgres://assay@db.internal cannot be reached"));
  }
};

TEST_F(IdentityTest, AnOutageIsNobodysWrongTokenAndNamesNoHost) {
  AwayStore away;
  Identity identity(away, clock_);
  const RepositoryId repository = RepositoryId::Random();
  const std::string git = "Basic " + testing::Base64("x:asy_secret");
  for (const Error& error :
       {Await(identity.Authenticate("Bearer asy_secret")).error(),
        Await(identity.Authenticate("Session secret")).error(),
        Await(identity.AuthenticateGit(git, repository)).error()}) {
    EXPECT_EQ(error.code, Code::kUnavailable);
    EXPECT_TRUE(error.message.contains("the store cannot be reached"));
    EXPECT_FALSE(error.message.contains("db.internal")) << error.message;
  }
}

TEST_F(IdentityTest, ANodeHasOneTokenAndItsStartEndsTheOneBefore) {
  const auto node = [&](const std::string& name) {
    return Await(identity_.CreateNodeToken("nodes/" + name))->secret;
  };
  const std::string first = node("a");
  const std::string other = node("b");
  EXPECT_EQ(Authenticate("Bearer " + first)->role, v1::ROLE_NODE);
  // It is not for a term: a node may serve for years.
  clock_.Advance(std::chrono::hours(24 * 1'000));
  EXPECT_THAT(Authenticate("Bearer " + first), IsOk());
  const std::string second = node("a");
  EXPECT_THAT(Authenticate("Bearer " + first),
              FailsWith(Code::kUnauthenticated));
  EXPECT_THAT(Authenticate("Bearer " + second), IsOk());
  EXPECT_THAT(Authenticate("Bearer " + other), IsOk());
  // A person's token is not taken for a node's by its label.
  const auto person =
      *Await(identity_.CreateToken(v1::ROLE_OBSERVER, "nodes/a", {}, {}));
  ASSERT_THAT(Await(store_->Write([](storage::Transaction& tx) {
                return tx.tokens.RemoveOfNode("nodes/a");
              })),
              IsOk());
  EXPECT_THAT(Authenticate("Bearer " + second),
              FailsWith(Code::kUnauthenticated));
  EXPECT_THAT(Authenticate("Bearer " + person.secret), IsOk());
}

TEST_F(IdentityTest, StoreDoesNotHoldSecrets) {
  const MintedToken token = Create(v1::ROLE_ADMIN);
  std::string bytes;
  for (const auto& entry :
       std::filesystem::directory_iterator(directory_.path())) {
    std::ifstream file(entry.path(), std::ios::binary);
    bytes.append(std::istreambuf_iterator<char>(file), {});
  }
  EXPECT_NE(bytes.find(token.hash), std::string::npos);
  EXPECT_EQ(bytes.find(token.secret), std::string::npos);
}

TEST_F(IdentityTest, RevokedTokenIsRefused) {
  const MintedToken token = Create(v1::ROLE_AUTHOR);
  ASSERT_THAT(Await(identity_.RevokeToken(token.id)), IsOk());
  EXPECT_THAT(Authenticate("Bearer " + token.secret),
              FailsWith(Code::kUnauthenticated));
  EXPECT_THAT(Await(identity_.RevokeToken(TokenId("tok_none"))),
              FailsWith(Code::kNotFound));
}

class GitIdentityTest : public IdentityTest {
 protected:
  Expected<GitAccess> Git(const std::string& header,
                          const RepositoryId& repository) {
    return Await(identity_.AuthenticateGit(header, repository));
  }
  static std::string Basic(const std::string& plain) {
    return "Basic " + testing::Base64(plain);
  }

  const AttemptId attempt_ = AttemptId::Random();
  const RepositoryId repository_ = RepositoryId::Random();
  const MintedToken token_ =
      *Await(identity_.CreateGitToken(attempt_, repository_));
};

TEST_F(GitIdentityTest, PasswordOpensItsRepositoryForAMonth) {
  const std::string header = Basic("x-token:" + token_.secret);
  const auto access = Git(header, repository_);
  ASSERT_THAT(access, IsOk());
  EXPECT_EQ(access->attempt, attempt_);
  EXPECT_TRUE(access->may_push);
  clock_.Advance(std::chrono::days(31) - std::chrono::minutes(1));
  EXPECT_THAT(Git(header, repository_), IsOk());
  clock_.Advance(std::chrono::minutes(1));
  EXPECT_THAT(Git(header, repository_), FailsWith(Code::kUnauthenticated));
}

TEST_F(GitIdentityTest, AReviewersPasswordReadsAndEndsWithinTheHour) {
  const auto token = Await(identity_.CreateGitReadToken(attempt_, repository_));
  ASSERT_THAT(token, IsOk());
  const std::string header = Basic("reader:" + token->secret);
  const auto access = Git(header, repository_);
  ASSERT_THAT(access, IsOk());
  EXPECT_FALSE(access->may_push);
  clock_.Advance(std::chrono::hours(1));
  EXPECT_THAT(Git(header, repository_), FailsWith(Code::kUnauthenticated));
}

TEST_F(GitIdentityTest, OpensNoOtherRepositoryAndNoApi) {
  EXPECT_THAT(Git(Basic("x-token:" + token_.secret), RepositoryId::Random()),
              FailsWith(Code::kPermissionDenied, "another repository"));
  EXPECT_THAT(Authenticate("Bearer " + token_.secret),
              FailsWith(Code::kUnauthenticated));
}

TEST_F(GitIdentityTest, RefusesWhatIsNoBasicPasswordOfAGitToken) {
  const MintedToken api = Create(v1::ROLE_CANDIDATE, attempt_);
  for (const std::string& header :
       {std::string(), std::string("Basic"), std::string("Basic !!!"),
        Basic("no-colon"), "Bearer " + token_.secret, Basic("x:wrong"),
        Basic("x-token:" + api.secret)})
    EXPECT_THAT(Git(header, repository_), FailsWith(Code::kUnauthenticated))
        << header;
}

class TokenFilesTest : public IdentityTest {
 protected:
  std::string File(const char* name) {
    return ReadTokenFile(directory_.path() / name);
  }
  void Ensure() {
    ASSERT_THAT(Await(identity_.EnsureTokenFiles(directory_.path())), IsOk());
  }
};

TEST_F(TokenFilesTest, FirstStartMakesBothForTheirOwnerOnly) {
  Ensure();
  EXPECT_EQ(Authenticate("Bearer " + File("admin.token"))->role,
            v1::ROLE_ADMIN);
  EXPECT_EQ(Authenticate("Bearer " + File("worker.token"))->role,
            v1::ROLE_WORKER);
  struct stat info;
  ASSERT_EQ(stat((directory_.path() / "admin.token").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600);
}

TEST_F(TokenFilesTest, LaterStartsKeepThem) {
  Ensure();
  const std::string admin = File("admin.token");
  Ensure();
  EXPECT_EQ(File("admin.token"), admin);
  std::filesystem::remove(directory_.path() / "admin.token");
  std::filesystem::remove(directory_.path() / "worker.token");
  Ensure();
  EXPECT_EQ(File("admin.token"), "");
  EXPECT_EQ(Authenticate("Bearer " + File("worker.token"))->role,
            v1::ROLE_WORKER);
}

TEST_F(TokenFilesTest, FileThatACrashLeftIsTakenUpAndAStrangersIsNot) {
  const MintedToken left = MintToken();
  ASSERT_THAT(WriteTokenFile(directory_.path() / "admin.token", left.secret),
              IsOk());
  Ensure();
  EXPECT_EQ(Authenticate("Bearer " + left.secret)->role, v1::ROLE_ADMIN);

  const MintedToken stranger = MintToken();
  ASSERT_THAT(
      WriteTokenFile(directory_.path() / "admin.token", stranger.secret),
      IsOk());
  Ensure();
  EXPECT_THAT(Authenticate("Bearer " + stranger.secret),
              FailsWith(Code::kUnauthenticated));
}

}  // namespace
}  // namespace assay::identity
