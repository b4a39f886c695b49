#include <algorithm>
#include <filesystem>
#include <set>

#include "tests/sandbox/sandbox_test.h"

namespace assay::sandbox {
namespace {

using testing::IsEmpty;

// Cells that are built before they are asked for.
class AheadTest : public SandboxTest {
 protected:
  static SessionSpec Expecting(CellSpec cell, std::uint32_t starts) {
    cell.expected_starts = starts;
    return SessionOf(std::move(cell));
  }
  // Children of the launcher: the pid 1 of each cell that stands.
  std::set<pid_t> Inits() const {
    std::set<pid_t> pids;
    const std::string launcher = std::to_string(launcher_->pid());
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const std::string name = entry.path().filename();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      const std::string status = ReadFile(entry.path() / "status");
      if (status.find("PPid:\t" + launcher + "\n") != std::string::npos) {
        pids.insert(std::stoi(name));
      }
    }
    return pids;
  }
  bool Standing(std::size_t count) {
    return Eventually([&] {
      return launcher_->Stats()->cells == count && Inits().size() == count;
    });
  }
};
ASSAY_SANDBOX_SUITE(AheadTest);

TEST_P(AheadTest, StandsBeforeItIsAskedForAndIsUsedOnce) {
  Session session = NewSession(Expecting(CellOf({Shell("exit 3")}), 3));
  // A few at a time, however many are expected.
  ASSERT_TRUE(Standing(2));
  const std::set<pid_t> ahead = Inits();
  auto first = session.StartCell(0);
  ASSERT_TRUE(first) << first.error();
  EXPECT_EQ(RunIn(*first).termination.ending, Ending(Exited{3}));
  ASSERT_TRUE(first->Destroy());
  // The first is gone and was not one of a new make; a third stands for it.
  ASSERT_TRUE(Standing(2));
  std::set<pid_t> kept;
  for (const pid_t pid : Inits()) {
    if (ahead.contains(pid)) kept.insert(pid);
  }
  EXPECT_EQ(kept.size(), 1u);
  for (int i = 0; i < 2; ++i) {
    auto cell = session.StartCell(0);
    ASSERT_TRUE(cell) << cell.error();
    EXPECT_EQ(RunIn(*cell).termination.ending, Ending(Exited{3}));
    ASSERT_TRUE(cell->Discard());
  }
  // No more are expected, but more may come.
  EXPECT_TRUE(Standing(0));
  auto late = session.StartCell(0);
  ASSERT_TRUE(late) << late.error();
  EXPECT_EQ(RunIn(*late).termination.ending, Ending(Exited{3}));
}

TEST_P(AheadTest, HoldsNothingOfTheOneBefore) {
  // Leaves something in every place that a cell can write to, then looks there.
  CellSpec spec = CellOf(
      {Shell("echo x > /tmp/canary; echo x > /dev/shm/canary; "
             "echo x > /scratch/canary; ipcmk -M 4096 > /dev/null; "
             "ipcmk -Q > /dev/null; "
             "python3 -c '\n"
             "import socket, time\n"
             "s = socket.create_server((\"127.0.0.1\", 8080))\n"
             "u = socket.socket(socket.AF_UNIX)\n"
             "u.bind(\"\\0canary\")\n"
             "print(\"on\", flush=True)\n"
             "time.sleep(1000)'"),
       Shell("ls -A /tmp /dev/shm /scratch; ipcs -mq | grep -c 0x; "
             "grep -c canary /proc/net/unix; grep -c 1F90 /proc/net/tcp")});
  spec.mounts = {TmpfsMount{.target = "/scratch"}};
  Session session = NewSession(Expecting(spec, 100));
  const std::string clean = "/dev/shm:\n\n/scratch:\n\n/tmp:\n0\n0\n0\n";
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(Standing(2));
    auto cell = session.StartCell(0);
    ASSERT_TRUE(cell) << cell.error();
    EXPECT_EQ(RunIn(*cell, 1).out, clean) << "cell " << i;
    if (Enforces(Weakness::kMemory)) {
      EXPECT_LT(cell->Stats()->memory_peak_bytes, 8 << 20);
    }
    auto dirt = cell->Start(0);
    ASSERT_TRUE(dirt) << dirt.error();
    char byte = 0;
    ASSERT_TRUE(
        Eventually([&] { return ::read(dirt->stdout_fd(), &byte, 1) == 1; }));
    // It did leave something.
    EXPECT_NE(RunIn(*cell, 1).out, clean);
    ASSERT_TRUE(cell->Discard());
    ASSERT_TRUE(Standing(2));
  }
}

TEST_P(AheadTest, SharesNoNamespaceWithAnyOther) {
  Session session = NewSession(Expecting(CellOf({Shell("true")}), 100));
  ASSERT_TRUE(Standing(2));
  auto taken = session.StartCell(0);
  ASSERT_TRUE(taken) << taken.error();
  ASSERT_TRUE(Standing(3));
  std::set<std::string> links;
  std::size_t expected = 0;
  std::vector<std::string> kinds = {"user", "mnt", "pid", "net", "ipc", "uts"};
  if (Enforces(Weakness::kTreeKill)) kinds.emplace_back("cgroup");
  for (const pid_t pid : Inits()) {
    for (const auto& kind : kinds) {
      links.insert(std::filesystem::read_symlink(
          "/proc/" + std::to_string(pid) + "/ns/" + kind));
      ++expected;
    }
  }
  EXPECT_EQ(links.size(), expected);
  EXPECT_EQ(expected, 3 * kinds.size());
}

TEST_P(AheadTest, OneThatCannotBeBuiltIsToldToWhoAsksForIt) {
  CellSpec spec = CellOf({Shell("true")});
  spec.mounts = {BindMount{.source = {.path = "/no/such"}, .target = "/x"}};
  Session session = NewSession(Expecting(spec, 2));
  ASSERT_TRUE(Standing(0));
  const auto cell = session.StartCell(0);
  ASSERT_FALSE(cell);
  EXPECT_THAT(cell.error().message, testing::HasSubstr("/no/such"));
}

TEST_P(AheadTest, OneWithAMountPointInAVolumeIsNotMadeAhead) {
  SessionSpec spec;
  spec.volumes.push_back({});
  CellSpec cell = CellOf({Shell("true")});
  cell.mounts = {VolumeMount{.target = "/work"},
                 TmpfsMount{.target = "/work/cache"}};
  cell.expected_starts = 2;
  CellSpec other = CellOf({Shell("true")});
  other.mounts = {VolumeMount{.target = "/work"}};
  other.expected_starts = 1;
  spec.cells = {cell, other};
  Session session = NewSession(spec);
  ASSERT_TRUE(Standing(1));
  auto started = session.StartCell(1);
  ASSERT_TRUE(started) << started.error();
  EXPECT_TRUE(Standing(1));
}

TEST_P(AheadTest, BoundHoldsForAllSessionsTogether) {
  std::vector<Session> sessions;
  for (int i = 0; i < 20; ++i) {
    sessions.push_back(NewSession(Expecting(CellOf({Shell("true")}), 9)));
  }
  EXPECT_TRUE(Standing(32));
  sessions.clear();
  EXPECT_TRUE(Standing(0));
}

TEST_P(AheadTest, DeathOfOneThatWaitsIsMadeGood) {
  Session session = NewSession(Expecting(CellOf({Shell("exit 4")}), 100));
  ASSERT_TRUE(Standing(2));
  const std::set<pid_t> doomed = Inits();
  for (const pid_t pid : doomed) ::kill(pid, SIGKILL);
  ASSERT_TRUE(Eventually([&] {
    const std::set<pid_t> now = Inits();
    return std::none_of(now.begin(), now.end(),
                        [&](const pid_t pid) { return doomed.contains(pid); });
  }));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  EXPECT_EQ(RunIn(*cell).termination.ending, Ending(Exited{4}));
}

// A process that waits for its start in a standing cell. Where v2 counts
// processes and memory it would count as one of the cell's, so there is none.
class ProcessAheadTest : public AheadTest {
 protected:
  void SetUp() override {
    AheadTest::SetUp();
    if (rootless() || !Enforces(Weakness::kTreeKill) ||
        std::filesystem::exists("/sys/fs/cgroup/cgroup.controllers")) {
      GTEST_SKIP() << "no process is made ahead here";
    }
  }
  static ProcessSpec Expected(ProcessSpec process) {
    process.expected_starts = 2;
    return process;
  }
  // The one that waits, beside pid 1 and those in `others`.
  pid_t Waiting(const std::set<pid_t>& others) {
    std::set<pid_t> now;
    const bool there = Eventually([&] {
      now = Inits();
      return now.size() == others.size() + 1;
    });
    for (const pid_t pid : now) {
      if (there && !others.contains(pid)) return pid;
    }
    return -1;
  }
};
ASSAY_SANDBOX_SUITE(ProcessAheadTest);

TEST_P(ProcessAheadTest, IsTheOneThatIsStarted) {
  Session session = NewSession(
      SessionOf(CellOf({Shell("true"), Expected(Shell("exec sleep 30"))})));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  const pid_t init = *Inits().begin();
  for (int i = 0; i < 2; ++i) {
    const pid_t waiting = Waiting({init});
    ASSERT_GT(waiting, 0);
    auto process = cell->Start(1);
    ASSERT_TRUE(process) << process.error();
    const std::string name = "/proc/" + std::to_string(waiting) + "/comm";
    EXPECT_TRUE(Eventually([&] { return ReadFile(name) == "sleep\n"; }));
    ASSERT_TRUE(process->Kill());
    EXPECT_EQ(process->Wait()->ending, Ending(Signalled{SIGKILL}));
  }
  // No third is expected.
  EXPECT_EQ(RunIn(*cell, 0).termination.ending, Ending(Exited{0}));
  EXPECT_EQ(Inits(), std::set<pid_t>{init});
}

TEST_P(ProcessAheadTest, CountsForNothingUntilItIsStarted) {
  CellSpec spec = CellOf({Expected(Shell("sleep 0.2 & wait; exit 4"))});
  spec.limits.pids = 2;
  Session session = NewSession(SessionOf(spec));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  ASSERT_TRUE(Eventually([&] { return Inits().size() == 2; }));
  EXPECT_EQ(cell->Stats()->pids, 0);
  // The second waits beside it without taking a place.
  const Outcome outcome = RunIn(*cell);
  EXPECT_EQ(outcome.termination.ending, Ending(Exited{4})) << outcome.err;
  EXPECT_EQ(outcome.termination.usage.pids_peak, 2);
}

TEST_P(ProcessAheadTest, NeighboursThatEndItAreNoHindrance) {
  Session session = NewSession(
      SessionOf(CellOf({Shell("kill -9 -1"), Expected(Shell("exit 5")),
                        Shell("kill -STOP -1")})));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  ASSERT_TRUE(Eventually([&] { return Inits().size() == 2; }));
  (void)RunIn(*cell, 0);
  // Whoever is asked for while it dies is a newcomer that was killed.
  ASSERT_TRUE(Eventually([&] { return Inits().size() == 1; }));
  EXPECT_EQ(RunIn(*cell, 1).termination.ending, Ending(Exited{5}));
}

TEST_P(ProcessAheadTest, StartsInAFolderThatCameLater) {
  ProcessSpec late = Expected(Shell("pwd"));
  late.working_directory = "/tmp/late";
  Session session =
      NewSession(SessionOf(CellOf({Shell("mkdir /tmp/late"), late})));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  ASSERT_TRUE(Eventually([&] { return Inits().size() == 2; }));
  EXPECT_EQ(RunIn(*cell, 0).termination.ending, Ending(Exited{0}));
  EXPECT_EQ(RunIn(*cell, 1).out, "/tmp/late\n");
}

}  // namespace
}  // namespace assay::sandbox
