#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <map>
#include <optional>
#include <regex>
#include <set>

#include "tests/sandbox/sandbox_test.h"

// Hostile programs in real cells. Outcomes are read from the kernel, from
// outside: pids, namespaces, counters, canaries; never from what a program
// says.
namespace assay::sandbox {
namespace {

using std::chrono::milliseconds;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string Link(const std::string& path) {
  std::error_code error;
  return std::filesystem::read_symlink(path, error);
}

std::string Proc(pid_t pid, const std::string& name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

std::vector<pid_t> AllPids() {
  std::vector<pid_t> pids;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") == std::string::npos) {
      pids.push_back(std::stoi(name));
    }
  }
  return pids;
}

// A line of /proc/PID/status, without its name.
std::string StatusField(pid_t pid, const std::string& field) {
  const std::string status = ReadFile(Proc(pid, "status"));
  const auto at = status.find(field + ":\t");
  if (at == std::string::npos) return {};
  const auto begin = at + field.size() + 2;
  return status.substr(begin, status.find('\n', begin) - begin);
}

class HostileTest : public SandboxTest {
 protected:
  struct Running {
    Session session;
    Cell cell;
    pid_t init;
  };

  static ProcessSpec Hostile(const std::string& program,
                             const std::string& attempt) {
    return {.name = attempt,
            .arguments = {"/hostile/hostile_" + program, attempt},
            .wall_limit = std::chrono::seconds(30) * TimeFactor()};
  }
  CellSpec HostileCell(const std::string& program,
                       const std::string& attempt) const {
    CellSpec cell = CellOf({Hostile(program, attempt), Shell("exit 42")});
    cell.limits.pids = 64;
    const char* bin = std::getenv("ASSAY_BIN_DIR");
    cell.mounts = {
        BindMount{.source = {.path = std::string(bin) + "/../tests/hostile"},
                  .target = "/hostile"}};
    return cell;
  }

  std::optional<Running> Build(const CellSpec& spec) {
    Session session = NewSession(SessionOf(spec));
    auto cell = session.StartCell(0);
    EXPECT_TRUE(cell) << cell.error();
    if (!cell) return std::nullopt;
    const pid_t init = InitOf();
    EXPECT_GT(init, 0);
    return Running{std::move(session), *std::move(cell), init};
  }
  // Pid 1 of the only cell.
  pid_t InitOf() const {
    for (const pid_t pid : AllPids()) {
      if (StatusField(pid, "PPid") == std::to_string(launcher_->pid()) &&
          StatusField(pid, "NSpid").ends_with("\t1")) {
        return pid;
      }
    }
    return -1;
  }
  // Everybody in the cell but its pid 1.
  static std::vector<pid_t> Inside(pid_t init) {
    const std::string ns = Link(Proc(init, "ns/pid"));
    std::vector<pid_t> pids;
    for (const pid_t pid : AllPids()) {
      if (pid != init && Link(Proc(pid, "ns/pid")) == ns) pids.push_back(pid);
    }
    return pids;
  }
  // Waits until the program says that its attempt has been made, or has ended.
  static void WaitUntilDone(Process& process) {
    pollfd fds[] = {{process.stdout_fd(), POLLIN, 0},
                    {process.exit_fd(), POLLIN, 0}};
    ASSERT_GT(::poll(fds, 2, 20'000), 0);
  }
};

// --- processes ---------------------------------------------------------------

class HostileProcessesTest : public HostileTest {
 protected:
  void ExpectBoundedAndGone(const std::string& attempt) {
    CellSpec spec = HostileCell("processes", attempt);
    spec.processes[0].wall_limit = milliseconds(300);
    auto running = Build(spec);
    ASSERT_TRUE(running);
    const Outcome outcome = RunIn(running->cell);
    EXPECT_THAT(Describe(outcome.termination.ending), Not(HasSubstr("set up")));
    EXPECT_TRUE(Eventually([&] { return Inside(running->init).empty(); }))
        << attempt << ": something survived";
    if (Enforces(Weakness::kPids)) {
      EXPECT_LE(running->cell.Stats()->pids_peak, 64) << attempt;
    }
    // The cell's pid 1 was out of reach, so the cell still works.
    EXPECT_EQ(RunIn(running->cell, 1).termination.ending, Ending(Exited{42}));
    EXPECT_TRUE(running->cell.Destroy());
  }
};
ASSAY_SANDBOX_SUITE(HostileProcessesTest);

TEST_P(HostileProcessesTest, ForkBomb) { ExpectBoundedAndGone("fork_bomb"); }
TEST_P(HostileProcessesTest, SpinningForkers) {
  ExpectBoundedAndGone("spinning_forkers");
}
TEST_P(HostileProcessesTest, VforkBomb) { ExpectBoundedAndGone("vfork_bomb"); }
TEST_P(HostileProcessesTest, ThreadBomb) {
  ExpectBoundedAndGone("thread_bomb");
}
TEST_P(HostileProcessesTest, Daemons) { ExpectBoundedAndGone("daemons"); }
TEST_P(HostileProcessesTest, DaemonsThatHoldTheOutput) {
  ExpectBoundedAndGone("daemons_with_output");
}
TEST_P(HostileProcessesTest, IgnoredSignals) {
  ExpectBoundedAndGone("ignore_signals");
}
TEST_P(HostileProcessesTest, Zombies) { ExpectBoundedAndGone("zombies"); }
TEST_P(HostileProcessesTest, StoppedProcesses) {
  ExpectBoundedAndGone("stopped");
}
TEST_P(HostileProcessesTest, ExecLoop) { ExpectBoundedAndGone("exec_loop"); }
TEST_P(HostileProcessesTest, SignalsToEverybody) {
  ExpectBoundedAndGone("kill_everybody");
}

TEST_P(HostileProcessesTest, NewcomersAreKilledHalfwayIn) {
  CellSpec spec = HostileCell("processes", "kill_newcomers");
  spec.processes[1].wall_limit = std::chrono::seconds(5);
  auto running = Build(spec);
  ASSERT_TRUE(running);
  auto killer = running->cell.Start(0);
  ASSERT_TRUE(killer) << killer.error();
  WaitUntilDone(*killer);
  for (int i = 0; i < 20; ++i) {
    // It got through, or its end is a clean one; the launcher hangs on nobody.
    const Ending ending = RunIn(running->cell, 1).termination.ending;
    EXPECT_TRUE(ending == Ending(Exited{42}) ||
                ending == Ending(Signalled{SIGKILL}))
        << Describe(ending);
  }
  EXPECT_TRUE(killer->Kill());
  EXPECT_EQ(killer->Wait(milliseconds(5000))->ending,
            Ending(Signalled{SIGKILL}));
  EXPECT_TRUE(Eventually([&] { return Inside(running->init).empty(); }));
  EXPECT_EQ(RunIn(running->cell, 1).termination.ending, Ending(Exited{42}));
}

TEST_P(HostileProcessesTest, ThreadsBurnTogether) {
  if (!Enforces(Weakness::kCpuTime)) return;
  CellSpec spec = HostileCell("processes", "burning_threads");
  spec.processes[0].cpu_limit = milliseconds(100);
  const Termination end = Run(spec).termination;
  EXPECT_EQ(end.ending, Ending(CpuTimeout{}));
  EXPECT_GE(end.usage.cpu_user + end.usage.cpu_system, milliseconds(100));
  EXPECT_LT(end.usage.cpu_user + end.usage.cpu_system,
            milliseconds(100) + milliseconds(20) * TimeFactor());
}

// --- memory ------------------------------------------------------------------

class HostileMemoryTest : public HostileTest {
 protected:
  void ExpectOutOfMemory(const std::string& attempt) {
    // Declared as not enforced; LimitsTest covers what stands in.
    if (!Enforces(Weakness::kMemory)) return;
    CellSpec spec = HostileCell("memory", attempt);
    spec.limits.memory_bytes = 48 << 20;
    spec.limits.scratch_bytes = 1 << 30;
    const Outcome outcome = Run(spec);
    EXPECT_EQ(outcome.termination.ending, Ending(OutOfMemory{})) << attempt;
    EXPECT_LE(outcome.termination.usage.memory_peak_bytes, 48 << 20);
  }
};
ASSAY_SANDBOX_SUITE(HostileMemoryTest);

TEST_P(HostileMemoryTest, Touch) { ExpectOutOfMemory("touch"); }
TEST_P(HostileMemoryTest, Map) { ExpectOutOfMemory("map"); }
TEST_P(HostileMemoryTest, Memfd) { ExpectOutOfMemory("memfd"); }
TEST_P(HostileMemoryTest, SharedFile) { ExpectOutOfMemory("shared_file"); }
TEST_P(HostileMemoryTest, SystemV) { ExpectOutOfMemory("system_v"); }

TEST_P(HostileMemoryTest, PageCacheStaysInsideTheLimit) {
  if (!Enforces(Weakness::kMemory)) return;
  CellSpec spec = HostileCell("memory", "page_cache");
  spec.limits.memory_bytes = 48 << 20;
  const Termination end = Run(spec).termination;
  EXPECT_EQ(end.ending, Ending(Exited{0}));
  EXPECT_LE(end.usage.memory_peak_bytes, 48 << 20);
}

TEST_P(HostileMemoryTest, LockedMemoryIsRefused) {
  EXPECT_EQ(Run(HostileCell("memory", "lock_all")).termination.ending,
            Ending(Exited{3}));
}

TEST_P(HostileMemoryTest, StackBombOverflows) {
  EXPECT_EQ(Run(HostileCell("memory", "stack")).termination.ending,
            Ending(Signalled{SIGSEGV}));
}

TEST_P(HostileMemoryTest, SocketBuffersStayInsideTheLimit) {
  if (!Enforces(Weakness::kMemory)) return;
  CellSpec spec = HostileCell("memory", "sockets");
  spec.limits.memory_bytes = 48 << 20;
  auto running = Build(spec);
  ASSERT_TRUE(running);
  auto process = running->cell.Start(0);
  ASSERT_TRUE(process) << process.error();
  WaitUntilDone(*process);
  EXPECT_LE(running->cell.Stats()->memory_peak_bytes, 48 << 20);
}

// --- disk and output ---------------------------------------------------------

class HostileDiskTest : public HostileTest {
 protected:
  CellStats StatsAfter(const std::string& attempt) {
    CellSpec spec = HostileCell("disk", attempt);
    spec.limits.scratch_bytes = 1 << 20;
    spec.limits.scratch_inodes = 500;
    auto running = Build(spec);
    if (!running) return {};
    auto process = running->cell.Start(0);
    EXPECT_TRUE(process) << process.error();
    WaitUntilDone(*process);
    return running->cell.Stats().value_or(CellStats{});
  }
  void ExpectOutputLimit(const std::string& attempt) {
    constexpr std::int64_t kCap = 256 << 10;
    auto running = Build(HostileCell("disk", attempt));
    ASSERT_TRUE(running);
    auto process = running->cell.Start(0);
    ASSERT_TRUE(process) << process.error();
    std::int64_t total = 0;
    char buffer[65536];
    while (total < kCap) {
      pollfd wait = {process->stdout_fd(), POLLIN, 0};
      ASSERT_EQ(::poll(&wait, 1, 10'000), 1);
      total += ::read(process->stdout_fd(), buffer, sizeof(buffer));
    }
    ASSERT_TRUE(process->Kill(KillReason::kOutputLimit));
    EXPECT_EQ(process->Wait(milliseconds(5000))->ending, Ending(OutputLimit{}));
  }
};
ASSAY_SANDBOX_SUITE(HostileDiskTest);

// Room of the root's own folders comes on top of the limit.
constexpr std::int64_t kSlack = 256 << 10;

TEST_P(HostileDiskTest, BigFile) {
  const CellStats stats = StatsAfter("big_file");
  EXPECT_GE(stats.disk_bytes, 1 << 20);
  EXPECT_LE(stats.disk_bytes, (1 << 20) + kSlack);
}
TEST_P(HostileDiskTest, SparseFile) {
  EXPECT_LE(StatsAfter("sparse").disk_bytes, (1 << 20) + kSlack);
}
TEST_P(HostileDiskTest, Inodes) {
  const CellStats stats = StatsAfter("inodes");
  EXPECT_GE(stats.disk_inodes, 500);
  EXPECT_LE(stats.disk_inodes, 500 + 256);
}
TEST_P(HostileDiskTest, DeepFolders) {
  EXPECT_LE(StatsAfter("deep_folders").disk_inodes, 500 + 256);
}
TEST_P(HostileDiskTest, ExactQuotaIsReachedAgainAndAgain) {
  CellSpec spec = HostileCell("disk", "exact_quota");
  spec.processes[1] = Shell("rm /tmp/full");
  spec.limits.scratch_bytes = 1 << 20;
  auto running = Build(spec);
  ASSERT_TRUE(running);
  auto process = running->cell.Start(0);
  ASSERT_TRUE(process) << process.error();
  WaitUntilDone(*process);
  const auto full = running->cell.Stats();
  EXPECT_GE(full->disk_bytes, 1 << 20);
  EXPECT_LE(full->disk_bytes, (1 << 20) + kSlack);
  ASSERT_TRUE(process->Kill());
  ASSERT_TRUE(process->Wait());
  RunIn(running->cell, 1);
  EXPECT_EQ(running->cell.Stats()->disk_bytes, 0);
}
TEST_P(HostileDiskTest, EndlessOutput) { ExpectOutputLimit("endless_output"); }
TEST_P(HostileDiskTest, OneByteWrites) { ExpectOutputLimit("one_byte_writes"); }

// --- mount points ------------------------------------------------------------

// One cell writes to a volume; the next one of the session has a folder of the
// host mounted inside of it.
class HostileMountPointTest : public HostileTest {
 protected:
  void SetUp() override {
    HostileTest::SetUp();
    shown_.Write("canary", "untouched");
  }
  SessionSpec WithVolume(const std::string& attempt) const {
    CellSpec writer = HostileCell("disk", attempt);
    writer.mounts.push_back(VolumeMount{.volume = 0, .target = "/work"});
    CellSpec reader = CellOf({Shell("echo x > /work/target/x")});
    reader.mounts = {
        VolumeMount{.volume = 0, .target = "/work"},
        BindMount{.source = {.path = shown_.path()}, .target = "/work/target"}};
    SessionSpec spec;
    spec.volumes = {VolumeSpec{}};
    spec.cells = {writer, reader};
    return spec;
  }
  // Nothing of the host is other than it was, and the launcher lives.
  void ExpectHostUntouched(const std::string& mounts) {
    EXPECT_EQ(ReadFile("/proc/self/mountinfo"), mounts);
    EXPECT_EQ(ReadFile(shown_.path() + "/canary"), "untouched");
    EXPECT_FALSE(std::filesystem::exists(shown_.path() + "/x"));
    EXPECT_TRUE(launcher_->Stats());
  }
  void ExpectRefused(const std::string& attempt) {
    const std::string mounts = ReadFile("/proc/self/mountinfo");
    Session session = NewSession(WithVolume(attempt));
    auto writer = session.StartCell(0);
    ASSERT_TRUE(writer) << writer.error();
    auto process = writer->Start(0);
    ASSERT_TRUE(process) << process.error();
    WaitUntilDone(*process);
    auto reader = session.StartCell(1);
    ASSERT_FALSE(reader);
    EXPECT_THAT(reader.error().message, HasSubstr("/work/target"));
    ExpectHostUntouched(mounts);
  }

  TempDirectory shown_;
};
ASSAY_SANDBOX_SUITE(HostileMountPointTest);

TEST_P(HostileMountPointTest, Fifo) { ExpectRefused("fifo"); }
TEST_P(HostileMountPointTest, Socket) { ExpectRefused("socket"); }
TEST_P(HostileMountPointTest, File) { ExpectRefused("file"); }
TEST_P(HostileMountPointTest, LinkToOutside) { ExpectRefused("link_out"); }
TEST_P(HostileMountPointTest, LinkToInside) { ExpectRefused("link_in"); }
TEST_P(HostileMountPointTest, HardLink) { ExpectRefused("hard_link"); }
TEST_P(HostileMountPointTest, Device) { ExpectRefused("device"); }

TEST_P(HostileMountPointTest, RenamesDuringTheMount) {
  const std::string mounts = ReadFile("/proc/self/mountinfo");
  Session session = NewSession(WithVolume("rename_race"));
  auto writer = session.StartCell(0);
  ASSERT_TRUE(writer) << writer.error();
  auto process = writer->Start(0);
  ASSERT_TRUE(process) << process.error();
  WaitUntilDone(*process);
  for (int i = 0; i < 50; ++i) {
    auto reader = session.StartCell(1);
    if (!reader) continue;
    // Wherever it was mounted is inside, and read-only.
    (void)RunIn(*reader);
    EXPECT_TRUE(reader->Destroy());
  }
  ExpectHostUntouched(mounts);
}

// --- privileges --------------------------------------------------------------

// What the kernel says about the machine and must not change.
struct Machine {
  std::string host_name = ReadFile("/proc/sys/kernel/hostname");
  std::string core_pattern = ReadFile("/proc/sys/kernel/core_pattern");
  std::string swaps = ReadFile("/proc/swaps");
  std::string modules = ReadFile("/proc/modules");
  std::string mounts = ReadFile("/proc/self/mountinfo");
  bool operator==(const Machine&) const = default;
};

class HostilePrivilegesTest : public HostileTest {
 protected:
  static std::int64_t ClockOffset() {
    timespec real, monotonic;
    ::clock_gettime(CLOCK_REALTIME, &real);
    ::clock_gettime(CLOCK_MONOTONIC, &monotonic);
    return real.tv_sec - monotonic.tv_sec;
  }

  // After the attempt nobody in the cell has a namespace, identity, capability,
  // tracer, descriptor or mount that it did not start with.
  void ExpectNothingGained(const std::string& attempt) {
    const Machine before;
    const std::int64_t clock = ClockOffset();
    const TempDirectory directory;
    const std::string program = directory.path() + "/program";
    std::filesystem::copy_file(std::string(std::getenv("ASSAY_BIN_DIR")) +
                                   "/../tests/hostile/hostile_privileges",
                               program);
    ASSERT_EQ(::chmod(program.c_str(), 04755), 0);
    CellSpec spec = HostileCell("privileges", attempt);
    spec.mounts.push_back(
        BindMount{.source = {.path = directory.path()}, .target = "/setuid"});
    auto running = Build(spec);
    ASSERT_TRUE(running);
    const pid_t init = running->init;
    const std::string mounts = ReadFile(Proc(init, "mountinfo"));
    const std::string uid = StatusField(init, "Uid");
    auto process = running->cell.Start(0);
    ASSERT_TRUE(process) << process.error();
    WaitUntilDone(*process);

    std::vector<pid_t> everybody = Inside(init);
    // Else the attempt was not made.
    ASSERT_THAT(everybody, Not(IsEmpty()));
    everybody.push_back(init);
    for (const pid_t pid : everybody) {
      SCOPED_TRACE(attempt + ": " + ReadFile(Proc(pid, "comm")));
      EXPECT_EQ(StatusField(pid, "Uid"), uid);
      for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapAmb"}) {
        EXPECT_EQ(StatusField(pid, set), "0000000000000000") << set;
      }
      EXPECT_EQ(StatusField(pid, "NoNewPrivs"), "1");
      // Pid 1 is in strict mode, and cannot execute anything.
      EXPECT_EQ(StatusField(pid, "Seccomp"), pid == init ? "1" : "2");
      if (pid != init) {
        EXPECT_EQ(StatusField(pid, "CapBnd"), "0000000000000000");
      }
      EXPECT_EQ(StatusField(pid, "TracerPid"), "0");
      for (const char* ns :
           {"user", "mnt", "net", "ipc", "uts", "pid", "time"}) {
        const std::string name = std::string("ns/") + ns;
        EXPECT_EQ(Link(Proc(pid, name)), Link(Proc(init, name)));
      }
      if (pid != init) {
        EXPECT_THAT(Descriptors(pid), Each(testing::Le(2)));
        EXPECT_EQ(ReadFile(Proc(pid, "personality")), "00000000\n");
      }
    }
    EXPECT_EQ(ReadFile(Proc(init, "mountinfo")), mounts);
    EXPECT_TRUE(Machine() == before);
    EXPECT_LE(std::abs(ClockOffset() - clock), 1);
    EXPECT_THAT(ReadFile("/proc/keys"), Not(HasSubstr("hostile-canary")));
  }

  static std::vector<int> Descriptors(pid_t pid) {
    std::vector<int> numbers;
    std::error_code error;
    for (const auto& entry :
         std::filesystem::directory_iterator(Proc(pid, "fd"), error)) {
      numbers.push_back(std::stoi(entry.path().filename()));
    }
    return numbers;
  }
};
ASSAY_SANDBOX_SUITE(HostilePrivilegesTest);

TEST_P(HostilePrivilegesTest, BecomeRoot) {
  ExpectNothingGained("become_root");
}
TEST_P(HostilePrivilegesTest, SetuidProgram) {
  ExpectNothingGained("setuid_program");
}
TEST_P(HostilePrivilegesTest, NewNamespaces) {
  ExpectNothingGained("new_namespaces");
}
TEST_P(HostilePrivilegesTest, EnterNamespaces) {
  ExpectNothingGained("enter_namespaces");
}
TEST_P(HostilePrivilegesTest, Mounts) { ExpectNothingGained("mounts"); }
TEST_P(HostilePrivilegesTest, KernelObjects) {
  ExpectNothingGained("kernel_objects");
}
TEST_P(HostilePrivilegesTest, Keys) { ExpectNothingGained("keys"); }
TEST_P(HostilePrivilegesTest, OtherProcesses) {
  ExpectNothingGained("other_processes");
}
TEST_P(HostilePrivilegesTest, MachineSettings) {
  ExpectNothingGained("machine");
}
TEST_P(HostilePrivilegesTest, DeviceNodes) {
  ExpectNothingGained("device_nodes");
}

#ifdef __x86_64__
TEST_P(HostilePrivilegesTest, ForeignArchitectureIsKilled) {
  EXPECT_EQ(
      Run(HostileCell("privileges", "foreign_architecture")).termination.ending,
      Ending(Signalled{SIGSYS}));
}
#endif

// --- channels and network ----------------------------------------------------

class HostileSearchTest : public HostileTest {
 protected:
  const std::string canary_ =
      "canary-" + std::to_string(::getpid()) + "-4c1f9a";
};
ASSAY_SANDBOX_SUITE(HostileSearchTest);

TEST_P(HostileSearchTest, CanariesAreNowhereInReach) {
  // In the host's files and environment, and in another live cell of the same
  // session: its environment, arguments, scratch files, host name and volume.
  TempDirectory directory;
  directory.Write("secret", canary_);
  ::setenv("ASSAY_CANARY", canary_.c_str(), 1);
  CellSpec neighbour = CellOf({Shell("echo " + canary_ +
                                     " | tee /tmp/f /dev/shm/f /work/f; sleep "
                                     "1000; : " +
                                     canary_)});
  neighbour.processes[0].environment = {"SECRET=" + canary_};
  neighbour.hostname = canary_;
  neighbour.mounts = {VolumeMount{}};
  SessionSpec spec;
  spec.volumes.push_back({});
  spec.cells = {neighbour, HostileCell("search", "files")};
  Session session = NewSession(spec);
  auto first = session.StartCell(0);
  ASSERT_TRUE(first) << first.error();
  auto other = first->Start(0);
  ASSERT_TRUE(other) << other.error();
  WaitUntilDone(*other);
  auto cell = session.StartCell(1);
  ASSERT_TRUE(cell) << cell.error();
  const Outcome outcome = RunIn(*cell);
  ::unsetenv("ASSAY_CANARY");
  EXPECT_EQ(outcome.termination.ending, Ending(Exited{0}));
  // It did search.
  EXPECT_THAT(outcome.out, HasSubstr("/etc/passwd\n"));
  EXPECT_THAT(outcome.out, HasSubstr("/proc/self"));
  EXPECT_EQ(outcome.out.find(canary_), std::string::npos);
  EXPECT_FALSE(std::regex_search(outcome.out, std::regex("LEAKED-[0-9]")));
  EXPECT_EQ(outcome.out.find(directory.path()), std::string::npos);
  // Nor where the launcher keeps cells.
  EXPECT_EQ(outcome.out.find("assay-" + std::to_string(launcher_->pid())),
            std::string::npos);
}

TEST_P(HostileSearchTest, NobodyOfTheHostIsReached) {
  const UniqueFd tcp(
      ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int off = 0;
  ::setsockopt(tcp.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  sockaddr_in6 address = {};
  address.sin6_family = AF_INET6;
  socklen_t size = sizeof(address);
  ASSERT_EQ(::bind(tcp.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(tcp.get(), 8), 0);
  ::getsockname(tcp.get(), reinterpret_cast<sockaddr*>(&address), &size);
  const std::string port = std::to_string(ntohs(address.sin6_port));
  const UniqueFd udp(
      ::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  ::setsockopt(udp.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  ASSERT_EQ(::bind(udp.get(), reinterpret_cast<sockaddr*>(&address), size), 0);

  const UniqueFd local(
      ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un name = {};
  name.sun_family = AF_UNIX;
  const std::string text = "assay-canary-" + port;
  text.copy(name.sun_path + 1, text.size());
  ASSERT_EQ(::bind(local.get(), reinterpret_cast<sockaddr*>(&name),
                   static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 +
                                          text.size())),
            0);
  ASSERT_EQ(::listen(local.get(), 8), 0);

  CellSpec spec = HostileCell("search", "network");
  spec.processes[0].environment = {"PORT=" + port};
  EXPECT_EQ(Run(spec).termination.ending, Ending(Exited{0}));
  EXPECT_EQ(::accept(tcp.get(), nullptr, nullptr), -1);
  EXPECT_EQ(::accept(local.get(), nullptr, nullptr), -1);
  char byte = 0;
  EXPECT_EQ(::recv(udp.get(), &byte, 1, 0), -1);
}

}  // namespace
}  // namespace assay::sandbox
