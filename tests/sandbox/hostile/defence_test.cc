#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "sandbox/policy/write_fence.h"

// For each defence: the test that misses it. It passes with the launcher that
// only tests have, and fails as soon as that one leaves the defence out.
namespace {

struct Missing {
  // Names of sandbox/policy/defence.h.
  const char* without;
  const char* program;
  const char* test;
};

constexpr const char* kHostile = "sandbox_hostile_test";
constexpr const char* kLauncher = "sandbox_launcher_test";

constexpr Missing kDefences[] = {
    {"filter", kHostile, "HostilePrivilegesTest.KernelObjects"},
    {"no_new_privileges", kHostile, "HostilePrivilegesTest.SetuidProgram"},
    {"capabilities", kHostile, "HostilePrivilegesTest.BecomeRoot"},
    {"bounding_set", kHostile, "HostilePrivilegesTest.BecomeRoot"},
    {"user", kLauncher, "RootfsTest.ProgramRunsAsAnUnprivilegedUser"},
    {"strict_init", kHostile, "HostilePrivilegesTest.BecomeRoot"},
    {"priority", kLauncher,
     "RootfsTest.ProgramRunsAtOrdinaryPriorityAndCannotLeaveIt"},
    {"network_namespace", kHostile, "HostileSearchTest.NobodyOfTheHost*"},
    {"ipc_namespace", kLauncher, "AheadTest.SharesNoNamespaceWithAnyOther"},
    {"host_name_namespace", kLauncher,
     "AheadTest.SharesNoNamespaceWithAnyOther"},
    {"cgroup_namespace", kLauncher, "AheadTest.SharesNoNamespaceWithAnyOther"},
    {"proc_masks", kLauncher, "RootfsTest.SensitiveFilesOfProcAreEmpty"},
    {"hidden_processes", kLauncher,
     "RootfsTest.HostFilesAndProcessesAreOutOfSight"},
    {"old_root_gone", kLauncher, "RootfsTest.DevHoldsTheCellsOwnDevicesOnly"},
    {"read_only_root", kLauncher, "RootfsTest.RootIsOneReadOnlyMount"},
    // Two fences around the same field: see below.
    {"read_only_mounts,landlock", kLauncher,
     "RootfsTest.ReadOnlyBindShowsFilesAndKeepsThem"},
    {"scratch_bytes", kLauncher, "LimitsTest.ScratchSizeIsALimit"},
    {"scratch_inodes", kHostile, "HostileDiskTest.DeepFolders"},
    {"memory_limit", kLauncher, "LimitsTest.MemoryHogIsEndedInsideItsLimit"},
    {"memory_kill", kLauncher,
     "LimitsTest.ChildThatRunsOutOfMemoryEndsTheProgram"},
    {"pids_limit", kHostile, "HostileProcessesTest.Zombies"},
    {"cores_limit", kLauncher, "LimitsTest.CoresLimitSlowsASpinnerDown"},
    {"open_files_limit", kLauncher, "LimitsTest.OpenFilesAndFileSize*"},
    {"file_size_limit", kLauncher, "LimitsTest.OpenFilesAndFileSize*"},
    {"own_folders", kLauncher,
     "SocketTest.UnixSocketsByPathStayInTheCellsOwnFolders"},
    {"wall_limit", kLauncher, "LimitsTest.WallLimitEndsASleeper"},
    {"cpu_limit", kLauncher, "LimitsTest.CpuLimitEndsASpinner"},
    {"tree_kill", kHostile, "HostileProcessesTest.Daemons"},
};

// Names in the output become part of the test's.
void PrintTo(const Missing& missing, std::ostream* out) {
  *out << missing.without;
}

class FenceTest : public testing::Test {
 protected:
  // Whether the test passes within `seconds`. Some wait for ever for a defence
  // that is missing; one that should pass gets the time of a busy machine.
  static bool Passes(const char* program, const std::string& test,
                     const std::string& without, int seconds = 60) {
    const std::string bin = std::getenv("ASSAY_BIN_DIR");
    const std::string command =
        "ASSAY_LAUNCHER=" + bin + "/../tests/launcher_without_defences " +
        "ASSAY_WITHOUT=" + without + " timeout -k 1 " +
        std::to_string(seconds) + " " + bin + "/../tests/" + program +
        " --gtest_filter='As/" + test + "/Root' 2>&1";
    std::FILE* pipe = ::popen(command.c_str(), "re");
    if (pipe == nullptr) return false;
    output_.clear();
    char buffer[4096];
    std::size_t n = 0;
    while ((n = std::fread(buffer, 1, sizeof(buffer), pipe)) > 0) {
      output_.append(buffer, n);
    }
    const int status = ::pclose(pipe);
    // Else a name is wrong.
    EXPECT_NE(output_.find("[ RUN"), std::string::npos) << output_;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  static inline std::string output_;
};

class DefenceTest : public FenceTest,
                    public testing::WithParamInterface<Missing> {};

TEST_P(DefenceTest, IsMissed) {
  const Missing& missing = GetParam();
  EXPECT_TRUE(Passes(missing.program, missing.test, "")) << output_;
  // Cells can be built without it, so what fails below fails for want of it.
  EXPECT_TRUE(Passes(kLauncher, "ProcessTest.ExitCodeAndOutputComeBack",
                     missing.without))
      << output_;
  EXPECT_FALSE(Passes(missing.program, missing.test, missing.without, 8))
      << "nothing noticed that it was left out";
}

TEST_F(FenceTest, SecondFenceHoldsWithoutTheFirst) {
  if (!assay::sandbox::HasWriteFence()) {
    GTEST_SKIP() << "this kernel has no Landlock";
  }
  EXPECT_TRUE(Passes(kLauncher, "RootfsTest.ReadOnlyBindShowsFilesAndKeepsThem",
                     "read_only_mounts"))
      << output_;
}

std::string NameOf(const testing::TestParamInfo<Missing>& info) {
  std::string name = info.param.without;
  for (char& c : name) c = c == ',' ? '_' : c;
  return name;
}

INSTANTIATE_TEST_SUITE_P(Without, DefenceTest, testing::ValuesIn(kDefences),
                         NameOf);

TEST(ProductTest, CannotBeWeakened) {
  for (const char* program : {"assay-launcher", "assay-sandbox"}) {
    std::ifstream file(std::string(std::getenv("ASSAY_BIN_DIR")) + "/" +
                       program);
    std::ostringstream content;
    content << file.rdbuf();
    EXPECT_GT(content.str().size(), 1u << 20) << program;
    EXPECT_EQ(content.str().find("ASSAY_WITHOUT"), std::string::npos)
        << program;
  }
}

}  // namespace
