#include <gmock/gmock.h>

#include <random>

#include "tests/services/coordinator/server_fixture.h"

namespace assay::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// Bytes that no compression makes smaller.
std::string Noise(std::size_t size) {
  std::minstd_rand random(1);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

class PushTest : public ServerFixture {
 protected:
  void Begin(v1::AssignmentSpec spec = {}) {
    MakeAssignment(std::move(spec));
    attempt_ = MakeAttempt();
    Clone(attempt_);
    base_ = Tip();
  }
  std::string Tip() {
    return Git("-C " + RepositoryPath(attempt_).string() + " rev-parse main");
  }
  // A push that must be refused; answers with what the candidate sees.
  std::string Refused(const std::string& arguments) {
    int status = 0;
    const std::string output = Git("-C work push " + arguments, &status);
    EXPECT_NE(status, 0) << output;
    return output;
  }

  StartedAttempt attempt_;
  std::string base_;
};

TEST_F(PushTest, IsRecordedQueuedAndTold) {
  Begin();
  const std::string commit = Commit("a", "1", "Greet the caller");
  const std::string output = Git("-C work push origin HEAD:main");
  EXPECT_THAT(output, AllOf(HasSubstr("remote: Received 2026-01-01 00:00:00"),
                            HasSubstr("remote: Queued: next in line"),
                            HasSubstr("/runs/run_")));
  EXPECT_EQ(Tip(), commit);
  const auto pushes = Pushes(attempt_);
  ASSERT_THAT(pushes, SizeIs(1));
  EXPECT_EQ(pushes[0].state(), v1::Push::STATE_ACCEPTED);
  EXPECT_EQ(pushes[0].old_commit(), base_);
  EXPECT_EQ(pushes[0].new_commit(), commit);
  EXPECT_EQ(pushes[0].subject(), "Greet the caller");
  EXPECT_THAT(pushes[0].run(), HasSubstr("runs/"));
  EXPECT_FALSE(pushes[0].late());
}

TEST_F(PushTest, LargeOneIsOnePushAlthoughGitAsksFirst) {
  Begin();
  const std::string commit = Commit("large", Noise(3 << 20));
  Git("-C work push -q origin HEAD:main");
  EXPECT_EQ(Tip(), commit);
  EXPECT_THAT(Pushes(attempt_), SizeIs(1));
}

TEST_F(PushTest, PushedObjectsArePackedAndSound) {
  Begin();
  Commit("a", "1");
  Git("-C work push -q origin HEAD:main");
  const std::string path = RepositoryPath(attempt_).string();
  Git("-C " + path + " fsck --strict --no-dangling");
  EXPECT_THAT(Git("-C " + path + " count-objects"), HasSubstr("0 objects"));
}

TEST_F(PushTest, NothingNewIsNoPush) {
  Begin();
  EXPECT_THAT(Git("-C work push origin HEAD:main"), HasSubstr("up-to-date"));
  EXPECT_THAT(Pushes(attempt_), IsEmpty());
}

TEST_F(PushTest, LateOneIsRefusedWithBothTimes) {
  Begin();
  Commit("a", "1");
  clock_.Advance(std::chrono::minutes(30));
  Git("-C work push -q origin HEAD:main");
  const std::string kept = Tip();
  // A git token lives for an hour; what is late is late for a fresh one, too.
  Commit("b", "2");
  clock_.Set(FromMicros(ManualClock::kStartMicros) + std::chrono::hours(4) +
             std::chrono::microseconds(1));
  v1::CreateGitTokenRequest ask;
  ask.set_name(attempt_.name);
  v1::CreateGitTokenResponse token;
  ASSERT_TRUE(v1::AttemptService::NewStub(channel())
                  ->CreateGitToken(As(attempt_.token).get(), ask, &token)
                  .ok());
  std::string url = attempt_.clone_url;
  url.insert(7, "x-token:" + token.password() + "@");
  const std::string output = Refused(url + " HEAD:main");
  EXPECT_THAT(output, AllOf(HasSubstr("[remote rejected]"),
                            HasSubstr("too late: received 2026-01-01 04:00:00"),
                            HasSubstr("cut-off was 2026-01-01 04:00:00"),
                            HasSubstr("what you pushed before it")));
  EXPECT_EQ(Tip(), kept);
}

TEST_F(PushTest, OnlyMainIsTaken) {
  Begin();
  Commit("a", "1");
  EXPECT_THAT(Refused("origin HEAD:refs/heads/other"),
              AllOf(HasSubstr("only the branch main"),
                    HasSubstr("remote: You pushed refs/heads/other")));
  EXPECT_THAT(Refused("origin HEAD:refs/submissions/9"),
              HasSubstr("only the branch main"));
  EXPECT_THAT(Refused("origin HEAD:refs/tags/v1"),
              HasSubstr("only the branch main"));
  EXPECT_THAT(Refused("origin HEAD:main HEAD:other"),
              HasSubstr("only the branch main"));
  EXPECT_EQ(Git("-C " + RepositoryPath(attempt_).string() +
                " for-each-ref --format='%(refname)'"),
            "refs/heads/main");
  EXPECT_EQ(Tip(), base_);
  EXPECT_THAT(Pushes(attempt_), IsEmpty());
}

TEST_F(PushTest, MainCannotBeDeleted) {
  Begin();
  EXPECT_THAT(Refused("origin :main"), HasSubstr("main cannot be deleted"));
  EXPECT_EQ(Tip(), base_);
}

TEST_F(PushTest, TooLargeOneIsRefusedInWordsAndLeavesNothing) {
  v1::AssignmentSpec spec;
  spec.set_max_push_bytes(1 << 20);
  Begin(spec);
  Commit("large", Noise(3 << 20));
  EXPECT_THAT(Refused("origin HEAD:main"),
              AllOf(HasSubstr("larger than 1.0 MiB"), HasSubstr("rejected")));
  EXPECT_EQ(Tip(), base_);
  EXPECT_THAT(Pushes(attempt_), IsEmpty());
  EXPECT_THAT(
      Git("-C " + RepositoryPath(attempt_).string() + " count-objects -v"),
      AllOf(HasSubstr("count: 0"), HasSubstr("garbage: 0")));
}

TEST_F(PushTest, RewritingHistoryFollowsThePolicy) {
  Begin();
  Commit("a", "1");
  Git("-C work push -q origin HEAD:main");
  const std::string first = Tip();
  Git("-C work commit -q --amend -m Rewritten");
  clock_.Advance(std::chrono::seconds(1));
  EXPECT_THAT(Refused("-f origin HEAD:main"),
              AllOf(HasSubstr("non-fast-forward"),
                    HasSubstr("remote: This would rewrite history")));
  EXPECT_EQ(Tip(), first);
  const auto pushes = Pushes(attempt_);
  ASSERT_THAT(pushes, SizeIs(2));
  EXPECT_EQ(pushes[1].state(), v1::Push::STATE_REFUSED);
}

TEST_F(PushTest, AllowedForcePushKeepsWhatItReplaced) {
  v1::AssignmentSpec spec;
  spec.set_allow_force_push(true);
  Begin(spec);
  const std::string first = Commit("a", "1");
  Git("-C work push -q origin HEAD:main");
  Git("-C work commit -q --amend -m Rewritten");
  Git("-C work push -q -f origin HEAD:main");
  EXPECT_EQ(Tip(), Git("-C work rev-parse HEAD"));
  Git("-C " + RepositoryPath(attempt_).string() + " cat-file -e " + first);
}

TEST_F(PushTest, PushThatLostARaceIsToldToPull) {
  Begin();
  Git("clone -q " + attempt_.private_url + " other");
  Git("-C other commit -q --allow-empty -m Other");
  Git("-C other push -q origin HEAD:main");
  Commit("a", "1");
  EXPECT_THAT(Refused("origin HEAD:main"), HasSubstr("rejected"));
  EXPECT_EQ(Tip(), Git("-C other rev-parse HEAD"));
}

TEST_F(PushTest, CannotReachAnothersRepository) {
  Begin();
  const StartedAttempt eve = MakeAttempt();
  Commit("a", "1");
  std::string url = attempt_.clone_url;
  url.insert(7, "x-token:" + eve.git_password + "@");
  EXPECT_THAT(Refused(url + " HEAD:main"),
              HasSubstr("this token opens another repository"));
  EXPECT_EQ(Tip(), base_);
}

TEST_F(PushTest, RestartKeepsAcceptedPushesAndQueuesNothingTwice) {
  Begin();
  Commit("a", "1");
  Git("-C work push -q origin HEAD:main");
  Restart();
  const auto pushes = Pushes(attempt_);
  ASSERT_THAT(pushes, SizeIs(1));
  EXPECT_EQ(pushes[0].state(), v1::Push::STATE_ACCEPTED);
}

}  // namespace
}  // namespace assay::testing
