#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "tests/sandbox/sandbox_test.h"

namespace assay::sandbox {
namespace {

using std::chrono::milliseconds;

// Limits that this starter's host enforces are tested for their ending, the
// others for being declared.
class LimitsTest : public SandboxTest {
 protected:
  // A program of one line, with Debian's Python.
  static ProcessSpec Python(std::string program) {
    return {.name = "python",
            .arguments = {"/usr/bin/python3", "-c", std::move(program)}};
  }

  // Of the only cell.
  int TimesThrottled() const {
    const std::string base = "assay-" + std::to_string(launcher_->pid()) + "/c";
    const std::string key = "nr_throttled ";
    std::error_code error;
    int times = 0;
    const std::filesystem::path top = "/sys/fs/cgroup";
    for (std::filesystem::recursive_directory_iterator it(top, error), end;
         it != end; it.increment(error)) {
      if (it->path().filename() != "cpu.stat" ||
          it->path().string().find(base) == std::string::npos) {
        continue;
      }
      const std::string stat = ReadFile(it->path());
      const auto at = stat.find(key);
      if (at == std::string::npos) continue;
      times = std::max(times, std::atoi(stat.c_str() + at + key.size()));
    }
    return times;
  }
};
ASSAY_SANDBOX_SUITE(LimitsTest);

TEST_P(LimitsTest, WallLimitEndsASleeper) {
  CellSpec cell = CellOf({Shell("sleep 1000")});
  cell.processes[0].wall_limit = milliseconds(50);
  const Outcome outcome = Run(cell);
  EXPECT_EQ(outcome.termination.ending, Ending(WallTimeout{}));
  EXPECT_GE(outcome.termination.usage.wall, milliseconds(50));
  EXPECT_LT(outcome.termination.usage.wall, milliseconds(500));
}

TEST_P(LimitsTest, WallLimitEndsAStoppedProgram) {
  CellSpec cell = CellOf({Shell("kill -STOP $$")});
  cell.processes[0].wall_limit = milliseconds(50);
  EXPECT_EQ(Run(cell).termination.ending, Ending(WallTimeout{}));
}

TEST_P(LimitsTest, ProgramThatEndsInTimeKeepsItsOwnEnding) {
  CellSpec cell = CellOf({Shell("exit 4")});
  cell.processes[0].wall_limit = std::chrono::seconds(30);
  cell.processes[0].cpu_limit = std::chrono::seconds(30);
  EXPECT_EQ(Run(cell).termination.ending, Ending(Exited{4}));
}

TEST_P(LimitsTest, CpuLimitEndsASpinner) {
  CellSpec cell = CellOf({Shell("while :; do :; done")});
  cell.processes[0].cpu_limit = milliseconds(100);
  cell.processes[0].wall_limit = std::chrono::seconds(20);
  const Outcome outcome = Run(cell);
  EXPECT_EQ(outcome.termination.ending, Ending(CpuTimeout{}));
  const auto used =
      outcome.termination.usage.cpu_user + outcome.termination.usage.cpu_system;
  EXPECT_GE(used, milliseconds(100));
  if (Enforces(Weakness::kCpuTime)) {
    EXPECT_LT(used, milliseconds(100) + milliseconds(50) * TimeFactor());
  }
}

TEST_P(LimitsTest, CpuLimitCountsWhatADaemonBurns) {
  if (!Enforces(Weakness::kCpuTime)) return;
  CellSpec cell =
      CellOf({Shell("setsid sh -c 'while :; do :; done' & sleep 1000")});
  cell.processes[0].cpu_limit = milliseconds(100);
  cell.processes[0].wall_limit = std::chrono::seconds(20);
  EXPECT_EQ(Run(cell).termination.ending, Ending(CpuTimeout{}));
}

TEST_P(LimitsTest, MemoryHogIsEndedInsideItsLimit) {
  CellSpec cell = CellOf({Python("b = bytearray(400 << 20)")});
  cell.limits.memory_bytes = 64 << 20;
  const Outcome outcome = Run(cell);
  if (!Enforces(Weakness::kMemory)) {
    // A limit on data: the interpreter is told no.
    EXPECT_EQ(outcome.termination.ending, Ending(Exited{1}));
    return;
  }
  EXPECT_EQ(outcome.termination.ending, Ending(OutOfMemory{}));
  EXPECT_LE(outcome.termination.usage.memory_peak_bytes, 64 << 20);
  EXPECT_GT(outcome.termination.usage.memory_peak_bytes, 50 << 20);
}

TEST_P(LimitsTest, ChildThatRunsOutOfMemoryEndsTheProgram) {
  if (!Enforces(Weakness::kMemory)) return;
  CellSpec cell = CellOf(
      {Shell("/usr/bin/python3 -c 'b = bytearray(400 << 20)'; sleep 1000")});
  cell.limits.memory_bytes = 64 << 20;
  EXPECT_EQ(Run(cell).termination.ending, Ending(OutOfMemory{}));
}

TEST_P(LimitsTest, ScratchFilesCountAsMemory) {
  if (!Enforces(Weakness::kMemory)) return;
  CellSpec cell = CellOf({Shell("head -c 200M /dev/zero > /dev/shm/f")});
  cell.limits.memory_bytes = 64 << 20;
  cell.limits.scratch_bytes = 512 << 20;
  EXPECT_EQ(Run(cell).termination.ending, Ending(OutOfMemory{}));
}

TEST_P(LimitsTest, ACellCanBeUsedAgainAfterItRanOutOfMemory) {
  if (!Enforces(Weakness::kMemory)) return;
  CellSpec spec = CellOf({Python("b = bytearray(400 << 20)"), Shell("exit 0")});
  spec.limits.memory_bytes = 64 << 20;
  Session session = NewSession(SessionOf(spec));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  EXPECT_EQ(RunIn(*cell, 0).termination.ending, Ending(OutOfMemory{}));
  EXPECT_TRUE(RunIn(*cell, 1).termination.Succeeded());
}

TEST_P(LimitsTest, ForkBombStaysInsideItsPidsLimitAndDiesWithItsTimeLimit) {
  CellSpec spec = CellOf({Shell("b() { b | b & }; b; sleep 1000")});
  spec.limits.pids = 40;
  spec.processes[0].wall_limit = milliseconds(300) * TimeFactor();
  Session session = NewSession(SessionOf(spec));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  RunIn(*cell);
  const auto stats = cell->Stats();
  ASSERT_TRUE(stats) << stats.error();
  if (Enforces(Weakness::kPids)) {
    EXPECT_LE(stats->pids_peak, 40);
    EXPECT_GE(stats->pids_peak, 39);
  }
  EXPECT_TRUE(cell->Destroy());
}

TEST_P(LimitsTest, CoresLimitSlowsASpinnerDown) {
  if (!Enforces(Weakness::kCores)) return;
  CellSpec spec = CellOf({Shell("while :; do :; done")});
  spec.limits.cores = 0.03;
  spec.processes[0].wall_limit = milliseconds(500) * TimeFactor();
  Session session = NewSession(SessionOf(spec));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  const auto usage = RunIn(*cell).termination.usage;
  EXPECT_LT(usage.cpu_user + usage.cpu_system,
            milliseconds(100) * TimeFactor());
  // On a busy machine that says little: the kernel's counter does.
  EXPECT_GT(TimesThrottled(), 0);
}

TEST_P(LimitsTest, ScratchSizeIsALimit) {
  CellSpec cell = CellOf({Shell("head -c 2M /dev/zero > /tmp/f")});
  cell.limits.scratch_bytes = 1 << 20;
  const Outcome outcome = Run(cell);
  EXPECT_FALSE(outcome.termination.Succeeded());
  EXPECT_THAT(outcome.err, testing::HasSubstr("No space left"));
}

TEST_P(LimitsTest, OpenFilesAndFileSizeAreLimited) {
  CellSpec cell = CellOf({Shell("ulimit -n; head -c 9999 /dev/zero > /tmp/f")});
  cell.limits.open_files = 77;
  cell.limits.file_bytes = 5000;
  const Outcome outcome = Run(cell);
  EXPECT_EQ(outcome.out, "77\n");
  EXPECT_FALSE(outcome.termination.Succeeded());
}

TEST_P(LimitsTest, FrozenCellStandsStillAndGoesOn) {
  Session session = NewSession(
      SessionOf(CellOf({Shell("while :; do echo .; sleep 0.001; done")})));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  auto process = cell->Start(0);
  ASSERT_TRUE(process) << process.error();
  char buffer[4096];
  const auto reads = [&] {
    return ::read(process->stdout_fd(), buffer, sizeof(buffer)) > 0;
  };
  ASSERT_TRUE(Eventually(reads));
  const auto frozen = cell->Freeze();
  if (!Enforces(Weakness::kFreeze)) {
    EXPECT_EQ(frozen.error().code, Code::kFailedPrecondition);
    return;
  }
  ASSERT_TRUE(frozen) << frozen.error();
  // Freezing takes a moment; afterwards neither output nor CPU time moves.
  auto before = cell->Stats()->cpu;
  ASSERT_TRUE(Eventually([&] {
    std::this_thread::sleep_for(milliseconds(20));
    return std::exchange(before, cell->Stats()->cpu) == before;
  }));
  while (reads()) continue;
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_FALSE(reads());
  EXPECT_EQ(cell->Stats()->cpu, before);
  ASSERT_TRUE(cell->Thaw());
  EXPECT_TRUE(Eventually(reads));
}

TEST_P(LimitsTest, FrozenCellCanBeKilled) {
  Session session = NewSession(SessionOf(CellOf({Shell("sleep 1000")})));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  auto process = cell->Start(0);
  ASSERT_TRUE(process) << process.error();
  if (!Enforces(Weakness::kFreeze)) return;
  ASSERT_TRUE(cell->Freeze());
  ASSERT_TRUE(process->Kill());
  EXPECT_EQ(process->Wait(milliseconds(5000))->ending,
            Ending(Signalled{SIGKILL}));
}

TEST_P(LimitsTest, StatsCountProcessesAndCpuTime) {
  Session session = NewSession(
      SessionOf(CellOf({Shell("sleep 1000 & echo on; while :; do :; done")})));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  auto process = cell->Start(0);
  ASSERT_TRUE(process) << process.error();
  if (!Enforces(Weakness::kPids)) return;
  EXPECT_TRUE(Eventually([&] { return cell->Stats()->pids == 2; }));
  EXPECT_TRUE(Eventually([&] { return cell->Stats()->cpu > milliseconds(5); }));
  EXPECT_GT(cell->Stats()->memory_bytes, 0);
}

TEST_P(LimitsTest, WhatIsNotEnforcedIsDeclaredOnTheCell) {
  Session session = NewSession(SessionOf(CellOf({Shell("true")})));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  const auto shared = static_cast<std::uint32_t>(Weakness::kSharedUid);
  EXPECT_EQ((cell->weaker() & shared) != 0, rootless());
  EXPECT_EQ(DescribeWeaknesses(shared).size(), 1u);
}

}  // namespace
}  // namespace assay::sandbox
