#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <random>
#include <thread>
#include <vector>

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
  // What is late is late also for a fresh password.
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
              HasSubstr("tags are not taken here"));
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
  const std::string path = RepositoryPath(attempt_).string();
  // By a name, so that no clearing up ever takes it away.
  EXPECT_EQ(Git("-C " + path + " rev-parse refs/pushes/" + first), first);
  EXPECT_THAT(Git("ls-remote " + attempt_.private_url),
              Not(HasSubstr("refs/pushes")));
}

TEST_F(PushTest, OrdinaryPushNeedsNoNameForWhatItFollows) {
  v1::AssignmentSpec spec;
  spec.set_allow_force_push(true);
  Begin(spec);
  Commit("a", "1");
  Git("-C work push -q origin HEAD:main");
  Commit("a", "2");
  Git("-C work push -q origin HEAD:main");
  EXPECT_EQ(Git("-C " + RepositoryPath(attempt_).string() +
                " for-each-ref --format='%(refname)'"),
            "refs/heads/main");
}

TEST_F(PushTest, TagsAreRefusedByName) {
  Begin();
  Git("-C work tag -a v1 -m One");
  EXPECT_THAT(Refused("origin v1"), AllOf(HasSubstr("tags are not taken here"),
                                          HasSubstr("git push origin HEAD")));
  // A tag is no commit, whatever the branch is called.
  EXPECT_THAT(Refused("origin v1:refs/heads/main"), HasSubstr("rejected"));
  EXPECT_EQ(Tip(), base_);
}

TEST_F(PushTest, TagsThatAreAllowedAreKeptAsTheyWerePushed) {
  v1::AssignmentSpec spec;
  spec.set_allow_tags(true);
  Begin(spec);
  const std::string commit = Commit("a", "1");
  Git("-C work push -q origin HEAD:main");
  Git("-C work tag -a v1 -m One");
  const std::string tag = Git("-C work rev-parse v1");
  EXPECT_THAT(Git("-C work push origin v1"),
              HasSubstr("kept, not graded: only refs/heads/main is"));
  const std::string path = RepositoryPath(attempt_).string();
  EXPECT_EQ(Git("-C " + path + " rev-parse refs/tags/v1"), tag);
  const auto pushes = Pushes(attempt_);
  ASSERT_THAT(pushes, SizeIs(2));
  EXPECT_EQ(pushes[1].ref(), "refs/tags/v1");
  EXPECT_EQ(pushes[1].new_commit(), tag);
  EXPECT_EQ(pushes[1].run(), "");

  Git("-C work tag -f -a v1 -m Two");
  EXPECT_THAT(Refused("-f origin v1"), HasSubstr("tags cannot be moved"));
  EXPECT_THAT(Refused("origin :v1"), HasSubstr("tags cannot be deleted"));
  Git("-C work tag v2");
  Git("-C work tag v3");
  EXPECT_THAT(Refused("origin v2 v3"),
              HasSubstr("a push may change one branch or tag"));
  // Neither a tree nor a commit against the rules comes in by a tag.
  Git("-C work tag tree HEAD^{tree}");
  EXPECT_THAT(Refused("origin tree"), HasSubstr("is none"));
  EXPECT_EQ(Git("-C " + path + " rev-parse refs/tags/v1"), tag);

  // Handed in is what was pushed to main.
  Git("-C work commit -q --allow-empty -m Aside");
  Git("-C work tag aside");
  Git("-C work push -q origin aside");
  v1::CreateSubmissionRequest submit;
  submit.set_attempt(attempt_.name);
  submit.set_commit(Git("-C work rev-parse aside"));
  v1::CreateSubmissionResponse ignored;
  const auto stub = v1::SubmissionService::NewStub(channel());
  EXPECT_THAT(stub->CreateSubmission(As(attempt_.token).get(), submit, &ignored)
                  .error_message(),
              HasSubstr("never pushed as the tip of a branch"));
  submit.set_commit(commit);
  EXPECT_TRUE(
      stub->CreateSubmission(As(attempt_.token).get(), submit, &ignored).ok());
  // What the next start finds explains itself.
  Restart();
  EXPECT_THAT(Pushes(attempt_), SizeIs(4));
}

TEST_F(PushTest, TagsAreCounted) {
  v1::AssignmentSpec spec;
  spec.set_allow_tags(true);
  Begin(spec);
  const std::string path = RepositoryPath(attempt_).string();
  for (int i = 0; i < 99; ++i)
    Git("-C " + path + " update-ref refs/tags/t" + std::to_string(i) + " " +
        base_);
  Git("-C work tag last");
  Git("-C work push -q origin last");
  Git("-C work tag more");
  EXPECT_THAT(Refused("origin more"), HasSubstr("has 100 tags already"));
}

TEST_F(PushTest, CommitsFollowTheAuthorsRules) {
  v1::AssignmentSpec spec;
  spec.set_commit_subject("^(feat|fix): ");
  spec.set_linear_history(true);
  Begin(spec);
  Commit("a", "1", "wip");
  EXPECT_THAT(Refused("origin HEAD:main"),
              AllOf(HasSubstr("\"wip\" does not match ^(feat|fix): "),
                    HasSubstr("remote: This assignment has a rule"),
                    HasSubstr("git commit --amend")));
  EXPECT_EQ(Tip(), base_);
  ASSERT_THAT(Pushes(attempt_), SizeIs(1));
  EXPECT_EQ(Pushes(attempt_)[0].state(), v1::Push::STATE_REFUSED);
  EXPECT_THAT(
      Git("-C " + RepositoryPath(attempt_).string() + " count-objects -v"),
      AllOf(HasSubstr("count: 0"), HasSubstr("garbage: 0")));

  Git("-C work commit -q --amend -m 'feat: a'");
  Git("-C work push -q origin HEAD:main");
  const std::string straight = Tip();
  Git("-C work checkout -q -b side HEAD~");
  Commit("b", "2", "fix: b");
  Git("-C work checkout -q -");
  Git("-C work merge -q --no-ff -m 'feat: both' side");
  EXPECT_THAT(Refused("origin HEAD:main"),
              AllOf(HasSubstr("is a merge"), HasSubstr("git rebase")));
  EXPECT_EQ(Tip(), straight);
}

TEST_F(PushTest, ShallowCloneIsPushedFrom) {
  Begin();
  Commit("a", "1");
  Git("-C work push -q origin HEAD:main");
  Git("clone -q --depth 1 " + attempt_.private_url + " shallow");
  EXPECT_EQ(Git("-C shallow rev-list --count HEAD"), "1");
  Git("-C shallow commit -q --allow-empty -m More");
  Git("-C shallow push -q origin HEAD:main");
  EXPECT_EQ(Tip(), Git("-C shallow rev-parse HEAD"));
  Git("-C " + RepositoryPath(attempt_).string() + " fsck --strict");
}

TEST_F(PushTest, LockThatAKilledGitHasLeftStopsNobody) {
  Begin();
  const auto path = RepositoryPath(attempt_);
  std::filesystem::create_directories(path / "refs/heads");
  std::filesystem::create_directories(path / "objects/tmp_objdir-incoming-x");
  std::ofstream(path / "refs/heads/main.lock") << "x";
  std::ofstream(path / "packed-refs.lock") << "x";
  const std::string commit = Commit("a", "1");
  Git("-C work push -q origin HEAD:main");
  EXPECT_EQ(Tip(), commit);
  EXPECT_FALSE(std::filesystem::exists(path / "objects/tmp_objdir-incoming-x"));
}

TEST_F(PushTest, RepositoryThatHasGrownTooFarTakesNoMore) {
  v1::AssignmentSpec spec;
  spec.set_max_push_bytes(64 << 10);
  Begin(spec);
  int status = 0;
  std::string output;
  int taken = 0;
  for (; status == 0 && taken < 20; ++taken) {
    Commit("file", Noise((60 << 10) + static_cast<std::size_t>(taken)));
    output = Git("-C work push origin HEAD:main", &status);
  }
  EXPECT_GT(taken, 8);
  EXPECT_LT(taken, 20);
  EXPECT_THAT(output, HasSubstr("has grown beyond 0 MiB"));
}

TEST_F(PushTest, PushesAtOnceLandOneAfterTheOther) {
  Begin();
  constexpr int kClones = 4;
  for (int i = 0; i < kClones; ++i) {
    const std::string name = "clone" + std::to_string(i);
    Git("clone -q " + attempt_.private_url + " " + name);
    Git("-C " + name + " commit -q --allow-empty -m " + name);
  }
  std::vector<std::thread> pushers;
  std::array<int, kClones> ended{};
  for (int i = 0; i < kClones; ++i)
    pushers.emplace_back([this, i, &ended] {
      Git("-C clone" + std::to_string(i) + " push -q origin HEAD:main",
          &ended[static_cast<std::size_t>(i)]);
    });
  for (std::thread& pusher : pushers) pusher.join();
  EXPECT_EQ(std::ranges::count(ended, 0), 1);
  const auto pushes = Pushes(attempt_);
  std::string accepted;
  for (const v1::Push& push : pushes)
    if (push.state() == v1::Push::STATE_ACCEPTED) accepted += push.new_commit();
  EXPECT_EQ(accepted, Tip());
}

TEST_F(PushTest, ForgedDateIsShownBesideTheReceiveTime) {
  Begin();
  Commit("a", "1");
  // 1 January 2100.
  const std::string forged =
      Git("-C work cat-file commit HEAD | sed 's/> [0-9]* /> 4102444800 /' | "
          "git -C work hash-object -t commit -w --stdin");
  Git("-C work push -q origin " + forged + ":main");
  std::vector<v1::Push> pushes = Pushes(attempt_);
  while (!pushes.empty() && !pushes[0].has_commit_time())
    pushes = Pushes(attempt_);
  ASSERT_THAT(pushes, SizeIs(1));
  EXPECT_EQ(pushes[0].receive_time().seconds(),
            ManualClock::kStartMicros / 1'000'000);
  EXPECT_EQ(pushes[0].commit_time().seconds(), 4'102'444'800);
  EXPECT_FALSE(pushes[0].late());

  v1::GetTimelineRequest ask;
  ask.set_attempt(attempt_.name);
  v1::GetTimelineResponse timeline;
  ASSERT_TRUE(v1::AttemptService::NewStub(channel())
                  ->GetTimeline(As(AdminToken()).get(), ask, &timeline)
                  .ok());
  EXPECT_THAT(timeline.ShortDebugString(),
              HasSubstr("its commit is dated 2100-01-01 00:00:00"));
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
