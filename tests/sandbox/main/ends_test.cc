#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <filesystem>
#include <sstream>

#include "tests/sandbox/main/assay_sandbox_test.h"

namespace assay::sandbox {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

TEST_P(AssaySandboxTest, ExitStatusOfTheCommandIsOurs) {
  EXPECT_EQ(Call("run -- true").status, 0);
  EXPECT_EQ(Call("run -- sh -c 'exit 77'").status, 77);
  EXPECT_EQ(Call("run -- sh -c 'kill -TERM $$'").status, 128 + 15);
}

TEST_P(AssaySandboxTest, LimitsHaveTheirOwnStatus) {
  EXPECT_EQ(Call("run --wall 50ms -- sleep 9").status, 124);
  EXPECT_EQ(Call("run --output 1KiB -- yes").status, 122);
  EXPECT_EQ(Call("run -- no-such-command").status, 127);
  EXPECT_EQ(Call("run -- /etc/passwd").status, 126);
  if (!root()) return;
  EXPECT_EQ(Call("run --cpu 50ms -- sh -c 'while :; do :; done'").status, 124);
  EXPECT_EQ(
      Call("run --memory 32MiB -- /usr/bin/python3 -c 'x = bytearray(1 << 28)'")
          .status,
      123);
}

// Whether the command is killed for it or has ended by then is luck.
TEST_P(AssaySandboxTest, CutOutputIsTheOutputLimitOfACommandThatHasEnded) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(Call("run --output 5B -- echo hello world").status, 122);
  }
  const json result = Result("--output 5B -- echo hello world");
  EXPECT_EQ(result["termination"]["kind"], "output_limit");
  EXPECT_EQ(Call("run --output 5B -- printf hello").status, 0);
}

TEST_P(AssaySandboxTest, MemoryThatNoCellCanDoWithIsNamed) {
  if (!root()) GTEST_SKIP() << "a limit per process does not hit pid 1";
  const Finished called = Call("run --memory 4KiB -- true");
  EXPECT_EQ(called.status, 125);
  EXPECT_THAT(called.err, HasSubstr("cgroup: Cannot allocate memory"));
}

TEST_P(AssaySandboxTest, JsonTellsCollisionsApart) {
  EXPECT_EQ(Result("-- sh -c 'exit 124'")["termination"]["kind"], "exited");
  const json timeout = Result("--wall 50ms -- sleep 9");
  EXPECT_EQ(timeout["termination"]["kind"], "wall_timeout");
  EXPECT_GE(timeout["wall_ms"], 50);
  EXPECT_EQ(timeout["limits_hit"], json::array({"wall"}));
  const json output = Result("--output 10B -- yes");
  EXPECT_EQ(output["stdout"]["bytes"], 10);
  EXPECT_EQ(output["stdout"]["truncated"], true);
  EXPECT_EQ(Result("-- sh -c 'kill -9 $$'")["termination"]["signal"], 9);
  EXPECT_EQ(Result("-- nothing")["termination"]["step"], "exec");
}

TEST_P(AssaySandboxTest, CountersAreThoseOfTheCommand) {
  const json result = Result(
      "-- sh -c 'head -c 3000000 /dev/zero > /tmp/f; i=0; while [ $i -lt "
      "100000 ]; do i=$((i+1)); done'");
  EXPECT_GE(result["disk_used_bytes"], 3'000'000);
  EXPECT_LT(result["disk_used_bytes"], 3'200'000);
  EXPECT_GT(result["cpu_user_ms"].get<double>() +
                result["cpu_system_ms"].get<double>(),
            5);
  EXPECT_EQ(result["weaker"].empty(), root());
}

TEST_P(AssaySandboxTest, LimitThatIsNotEnforcedIsRefusedUnlessAccepted) {
  const Finished refused = Call("run --memory 64MiB -- echo ran");
  // Also where an ordinary user was given a cgroup.
  if (root() || std::getenv("ASSAY_EXPECT_LIMITS") != nullptr) {
    EXPECT_EQ(refused.out, "ran\n");
    return;
  }
  EXPECT_EQ(refused.status, 125);
  EXPECT_EQ(refused.out, "");
  EXPECT_THAT(refused.err, HasSubstr("--allow-weaker memory"));
  EXPECT_EQ(Call("run --memory 64MiB --allow-weaker memory -- echo ran").out,
            "ran\n");
}

TEST_P(AssaySandboxTest, DiskRateIsKeptOrRefused) {
  const Finished one = Call("run --io-rate 100MiB -- echo ran");
  // The last is for a machine where each limit can be had.
  if (one.status != 125) {
    EXPECT_EQ(one.out, "ran\n");
    // By the disk and not by memory, where the test's folder lies on one.
    directory_.Write("data", std::string(4 << 20, 'x'));
    const Finished read = Call(
        "run --io-rate 2MiB --ro data:/d --json result -- dd if=/d "
        "of=/dev/null bs=256k iflag=direct");
    if (read.status != 0) GTEST_SKIP() << "no disk: " << read.err;
    const auto result =
        nlohmann::json::parse(ReadFile(directory_.path() + "/result"));
    EXPECT_GE(result["wall_ms"].get<double>(), 1000);
    return;
  }
  EXPECT_EQ(std::getenv("ASSAY_EXPECT_LIMITS"), nullptr) << one.err;
  EXPECT_THAT(one.err, HasSubstr("--allow-weaker io"));
  EXPECT_EQ(Call("run --io-rate 1MiB --allow-weaker io -- echo ran").out,
            "ran\n");
}

TEST_P(AssaySandboxTest, CheckNamesEveryPart) {
  const Finished checked = Call("check");
  EXPECT_EQ(checked.status, 0);
  for (const char* part :
       {"kernel", "user", "user namespaces", "seccomp", "landlock", "tmpfs",
        "overlay", "cgroup version", "cgroup memory", "cgroup pids",
        "cgroup cpu", "cgroup io", "cgroup delegation", "timer priority",
        "clock", "frequency scaling", "swap", "transparent huge pages",
        "address randomisation"}) {
    EXPECT_THAT(checked.out,
                testing::ContainsRegex("(ok|noisy|weaker|missing) +" +
                                       std::string(part) + "  +[^ ]"));
  }
  // Whatever is not as it should be comes with what to do about it.
  std::istringstream lines(checked.out);
  bool wants_advice = false;
  for (std::string line; std::getline(lines, line);) {
    const bool advice = line.starts_with("         -> ");
    EXPECT_EQ(advice, wants_advice) << line;
    wants_advice = !advice && !line.starts_with("ok");
  }
  EXPECT_FALSE(wants_advice);
  // Root lacks nothing but what v1 cannot do.
  const bool hybrid =
      !std::filesystem::exists("/sys/fs/cgroup/cgroup.controllers");
  std::string rest = checked.out;
  const std::string io = "weaker   cgroup io";
  EXPECT_EQ(rest.find(io) != std::string::npos, hybrid);
  if (hybrid) rest.erase(rest.find(io), io.size());
  EXPECT_EQ(rest.find("weaker") == std::string::npos, root());
}

TEST_P(AssaySandboxTest, InterruptedCommandIsTakenDownFirst) {
  const std::string as =
      root() ? "" : "setpriv --reuid=54321 --regid=54321 --clear-groups ";
  const std::string script =
      "cd " + directory_.path() + "; mkfifo f; " + as + program_ +
      " run -- sh -c 'echo on; sleep 30' > f & "
      "pid=$!; while ! [ -p " +
      directory_.path() + "/f ]; do :; done; read line < " + directory_.path() +
      "/f; pid=$(pgrep -o -f \"^" + program_ +
      "\"); kill -TERM $pid; wait; echo $pid; "
      "find /sys/fs/cgroup -name assay-$pid";
  std::FILE* pipe = ::popen(script.c_str(), "re");
  char buffer[4096];
  const std::size_t n = std::fread(buffer, 1, sizeof(buffer), pipe);
  ::pclose(pipe);
  EXPECT_THAT(std::string(buffer, n), testing::MatchesRegex("[0-9]+\n"));
}

// As in a container, where a strict mode cannot be entered any more.
TEST_P(AssaySandboxTest, WorksUnderAFilterOfSomebodyElse) {
  if (!root()) return;
  const pid_t pid = ::fork();
  if (pid == 0) {
    sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    const sock_fprog filter = {.len = 1, .filter = &allow};
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
    ::execl(program_.c_str(), "assay-sandbox", "run", "--", "sh", "-c",
            "exit 9", nullptr);
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(WEXITSTATUS(status), 9);
}

// Root's affair: the kernel makes no user namespaces for those in a chroot.
TEST_P(AssaySandboxTest, WorksInAChrootThatIsNoMountPoint) {
  if (!root()) return;
  const std::string root = directory_.path() + "/root";
  for (const char* name : {"", "/proc", "/usr", "/bin", "/etc"}) {
    std::filesystem::create_directory(root + name);
  }
  std::filesystem::copy_file("/bin/busybox", root + "/bin/busybox");
  std::filesystem::copy_file(program_, root + "/assay-sandbox");
  const std::string command = "unshare -m sh -c 'mount -t proc proc " + root +
                              "/proc && chroot " + root +
                              " /assay-sandbox run -- /bin/busybox ls /' 2>&1";
  std::FILE* pipe = ::popen(command.c_str(), "re");
  char buffer[4096];
  const std::size_t n = std::fread(buffer, 1, sizeof(buffer), pipe);
  EXPECT_EQ(::pclose(pipe), 0);
  EXPECT_THAT(std::string(buffer, n), StartsWith("bin\ndev\netc\n"));
}

}  // namespace
}  // namespace assay::sandbox
