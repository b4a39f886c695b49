#include "sandbox/cell/termination.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>

namespace assay::sandbox {
namespace {

TEST(TerminationTest, NamesAreTheWordsOfResults) {
  EXPECT_EQ(EndingName(Exited{0}), "exited");
  EXPECT_EQ(EndingName(Signalled{9}), "signalled");
  EXPECT_EQ(EndingName(WallTimeout{}), "wall_timeout");
  EXPECT_EQ(EndingName(CpuTimeout{}), "cpu_timeout");
  EXPECT_EQ(EndingName(OutOfMemory{}), "out_of_memory");
  EXPECT_EQ(EndingName(OutputLimit{}), "output_limit");
  EXPECT_EQ(EndingName(SetupFault{}), "setup_fault");
}

TEST(TerminationTest, DescriptionsSayWhatHappened) {
  EXPECT_EQ(Describe(Exited{3}), "exited with code 3");
  EXPECT_EQ(Describe(Signalled{SIGSEGV}), "killed by signal 11 (SIGSEGV)");
  EXPECT_EQ(Describe(SetupFault{SetupStep::kExec, ENOENT}),
            "could not be set up: exec: No such file or directory");
}

TEST(TerminationTest, OnlyExitCodeZeroIsSuccess) {
  EXPECT_TRUE((Termination{.ending = Exited{0}}.Succeeded()));
  EXPECT_FALSE((Termination{.ending = Exited{1}}.Succeeded()));
  EXPECT_FALSE((Termination{.ending = WallTimeout{}}.Succeeded()));
}

}  // namespace
}  // namespace assay::sandbox
