#include "services/cli/supervisor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

namespace assay::cli {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

class SupervisorTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "sup-XXXXXX").string();
    dir_ = mkdtemp(pattern.data());
    supervisor_ = std::make_unique<Supervisor>(dir_);
  }
  void TearDown() override {
    supervisor_.reset();
    fs::remove_all(dir_);
  }
  Expected<std::string> Start(const std::string& script,
                              seconds timeout = seconds(20)) {
    return supervisor_->Start("prog", {"sh", "-c", script}, timeout);
  }
  // The process that the ready line names.
  static pid_t PidOf(const Expected<std::string>& ready) {
    return ready ? std::stoi(*ready) : 0;
  }
  static bool IsGone(pid_t pid) { return kill(pid, 0) != 0 && errno == ESRCH; }

  fs::path dir_;
  std::unique_ptr<Supervisor> supervisor_;
};

TEST_F(SupervisorTest, ProgramIsStartedWhenItSaysSo) {
  const auto ready = Start("echo log >&2; echo ready a=1; exec sleep 1000");
  ASSERT_TRUE(ready) << ready.error();
  EXPECT_EQ(*ready, "ready a=1");
}

TEST_F(SupervisorTest, ProgramThatEndsBeforeItIsReadyIsReportedWithItsLog) {
  const auto ready = Start("echo 'disk full' >&2; exit 7");
  ASSERT_FALSE(ready);
  EXPECT_THAT(ready.error().message, HasSubstr("prog ended with exit code 7"));
  EXPECT_THAT(ready.error().message, HasSubstr("disk full"));
}

TEST_F(SupervisorTest, WhatAnEarlierProgramWroteExplainsNothing) {
  ASSERT_FALSE(Start("echo 'disk full' >&2; exit 7"));
  const auto again = Start("echo 'no such store' >&2; exit 1");
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, HasSubstr("no such store"));
  EXPECT_THAT(again.error().message, Not(HasSubstr("disk full")));
}

TEST_F(SupervisorTest, ProgramThatIsNotThereIsNamed) {
  const auto ready =
      supervisor_->Start("prog", {"assay-no-such-program"}, seconds(5));
  ASSERT_FALSE(ready);
  EXPECT_THAT(ready.error().message, HasSubstr("assay-no-such-program"));
}

TEST_F(SupervisorTest, SilentProgramIsGivenUp) {
  const auto ready = Start("exec sleep 1000", seconds(1));
  ASSERT_FALSE(ready);
  EXPECT_THAT(ready.error().message, HasSubstr("not ready within 1 s"));
}

TEST_F(SupervisorTest, DeathIsReportedWithTheSignal) {
  ASSERT_TRUE(Start("echo ready; kill -9 $$"));
  const Status end = supervisor_->WaitForEnd();
  ASSERT_FALSE(end);
  EXPECT_THAT(end.error().message, HasSubstr("prog was ended by signal 9"));
}

TEST_F(SupervisorTest, SignalToUsEndsTheWait) {
  ASSERT_TRUE(Start("echo ready; exec sleep 1000"));
  kill(getpid(), SIGTERM);
  EXPECT_TRUE(supervisor_->WaitForEnd());
}

TEST_F(SupervisorTest, ProgramThatIgnoresSigtermIsKilled) {
  const auto ready =
      Start("trap '' TERM; echo $$; while :; do sleep 1000; done");
  const pid_t pid = PidOf(ready);
  ASSERT_GT(pid, 0);
  supervisor_->Stop(seconds(1));
  EXPECT_TRUE(IsGone(pid));
}

TEST_F(SupervisorTest, NothingThatAProgramStartedIsLeft) {
  const auto ready = Start("setsid sleep 1000 & echo $!; exec sleep 1000");
  const pid_t grandchild = PidOf(ready);
  ASSERT_GT(grandchild, 0);
  supervisor_.reset();
  EXPECT_TRUE(IsGone(grandchild));
}

}  // namespace
}  // namespace assay::cli
