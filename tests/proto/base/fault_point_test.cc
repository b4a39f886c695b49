#include "proto/base/fault_point.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <set>

namespace assay {
namespace {

void Arm(const char* value) {
  ::setenv("ASSAY_FAULT", value, 1);
  if (!ArmFaultPoint()) std::_Exit(2);
}

TEST(FaultPointTest, NamesAreDifferent) {
  const std::set<std::string_view> names(std::begin(kFaultPoints),
                                         std::end(kFaultPoints));
  EXPECT_EQ(names.size(), std::size(kFaultPoints));
}

TEST(FaultPointTest, DoesNothingUnlessItIsArmed) {
  ::unsetenv("ASSAY_FAULT");
  ASSERT_TRUE(ArmFaultPoint());
  for (int i = 0; i < 3; ++i) ReachFaultPoint("push.intent");
}

TEST(FaultPointTest, KillsAtItsNthComing) {
  EXPECT_EXIT(
      {
        Arm("push.intent:3");
        ReachFaultPoint("push.intent");
        ReachFaultPoint("push.landed");
        ReachFaultPoint("push.intent");
        std::fputs("twice", stderr);
        ReachFaultPoint("push.intent");
      },
      ::testing::KilledBySignal(SIGKILL), "twice");
}

TEST(FaultPointTest, StopsWhereItIsToldTo) {
  const pid_t child = fork();
  if (child == 0) {
    Arm("push.intent:1:stop");
    ReachFaultPoint("push.intent");
    std::_Exit(3);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, WUNTRACED), child);
  ASSERT_TRUE(WIFSTOPPED(status)) << status;
  kill(child, SIGCONT);
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 3);
}

TEST(FaultPointTest, ALastingFaultIsThereFromTheStart) {
  EXPECT_FALSE(HasFault("sweeps.off"));
  EXPECT_EXIT(
      {
        Arm("sweeps.off");
        std::_Exit(HasFault("sweeps.off") ? 3 : 4);
      },
      ::testing::ExitedWithCode(3), "");
}

TEST(FaultPointTest, RefusesWhatNamesNoPoint) {
  for (const char* value : {"", "push.intent", "push.intent:", "push.intent:0",
                            "nowhere:1", "push.intent:-1", "sweeps.off:1"}) {
    ::setenv("ASSAY_FAULT", value, 1);
    EXPECT_FALSE(ArmFaultPoint()) << value;
  }
  ::unsetenv("ASSAY_FAULT");
}

}  // namespace
}  // namespace assay
