#include <poll.h>
#include <signal.h>

#include "sandbox/cell/message_socket.h"
#include "sandbox/cell/protocol.h"
#include "tests/sandbox/sandbox_test.h"

namespace assay::sandbox {
namespace {

using testing::HasSubstr;

class ProcessTest : public SandboxTest {};
ASSAY_SANDBOX_SUITE(ProcessTest);

TEST_P(ProcessTest, ExitCodeAndOutputComeBack) {
  const Outcome outcome = Run("echo to out; echo to err >&2; exit 3");
  EXPECT_EQ(outcome.termination.ending, Ending(Exited{3}));
  EXPECT_EQ(outcome.out, "to out\n");
  EXPECT_EQ(outcome.err, "to err\n");
}

TEST_P(ProcessTest, SignalIsTold) {
  EXPECT_EQ(Run("kill -SEGV $$").termination.ending,
            Ending(Signalled{SIGSEGV}));
}

TEST_P(ProcessTest, SelfSentKillIsNotOutOfMemory) {
  EXPECT_EQ(Run("kill -KILL $$").termination.ending,
            Ending(Signalled{SIGKILL}));
}

TEST_P(ProcessTest, MissingProgramIsASetupFaultOfExec) {
  const auto ending =
      Run(CellOf({{.name = "x", .arguments = {"no-such-program"}}}))
          .termination.ending;
  EXPECT_EQ(ending, Ending(SetupFault{SetupStep::kExec, ENOENT}));
  EXPECT_THAT(Describe(ending), HasSubstr("exec: No such file"));
}

TEST_P(ProcessTest, FileThatIsNoProgramIsASetupFaultOfExec) {
  EXPECT_EQ(Run(CellOf({{.name = "x", .arguments = {"/etc/passwd"}}}))
                .termination.ending,
            Ending(SetupFault{SetupStep::kExec, EACCES}));
}

TEST_P(ProcessTest, MissingWorkingDirectoryIsNamed) {
  CellSpec cell = CellOf({Shell("true")});
  cell.processes[0].working_directory = "/nowhere";
  EXPECT_EQ(Run(cell).termination.ending,
            Ending(SetupFault{SetupStep::kWorkingDirectory, ENOENT}));
}

TEST_P(ProcessTest, ProgramIsFoundInThePathOfItsEnvironment) {
  CellSpec cell = CellOf({{.name = "x", .arguments = {"true"}}});
  EXPECT_TRUE(Run(cell).termination.Succeeded());
  cell.processes[0].environment = {"PATH=/nowhere"};
  EXPECT_EQ(Run(cell).termination.ending,
            Ending(SetupFault{SetupStep::kExec, ENOENT}));
}

TEST_P(ProcessTest, EnvironmentIsWhatTheSpecSays) {
  CellSpec cell = CellOf({{.name = "x", .arguments = {"/usr/bin/env"}}});
  cell.processes[0].environment = {"ONE=1", "TWO=a b"};
  EXPECT_EQ(Run(cell).out, "ONE=1\nTWO=a b\n");
}

TEST_P(ProcessTest, StandardInputReachesTheProgram) {
  CellSpec cell = CellOf({{.name = "x", .arguments = {"/bin/cat"}}});
  cell.processes[0].stdin_kind = Stdin::kPipe;
  Session session = NewSession(SessionOf(cell));
  auto started = session.StartCell(0);
  ASSERT_TRUE(started) << started.error();
  auto process = started->Start(0);
  ASSERT_TRUE(process) << process.error();
  ASSERT_EQ(::write(process->stdin_fd(), "hello", 5), 5);
  process->TakeStdin().Reset();
  EXPECT_EQ(Collect(*process).out, "hello");
}

TEST_P(ProcessTest, WithoutInputTheProgramReadsNothing) {
  EXPECT_EQ(Run("wc -c").out, "0\n");
}

TEST_P(ProcessTest, RestartKeepsScratchFilesAndNetwork) {
  Session session = NewSession(
      SessionOf(CellOf({Shell("echo kept > /tmp/f"), Shell("cat /tmp/f")})));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  EXPECT_TRUE(RunIn(*cell, 0).termination.Succeeded());
  EXPECT_EQ(RunIn(*cell, 1).out, "kept\n");
  EXPECT_EQ(RunIn(*cell, 1).out, "kept\n");
}

TEST_P(ProcessTest, BackgroundProcessesEndWithTheirParent) {
  Session session = NewSession(SessionOf(CellOf(
      {Shell("setsid sleep 1000 & setsid sh -c 'sleep 1001 & sleep 1002' & :"),
       Shell("ls /proc | grep -c '^[0-9]*$'")})));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  EXPECT_TRUE(RunIn(*cell, 0).termination.Succeeded());
  // Counted outside: behind Landlock a later process does not see them.
  if (Enforces(Weakness::kPids)) {
    EXPECT_TRUE(Eventually([&] { return cell->Stats()->pids == 0; }));
  }
  // The shell, ls and grep; pid 1 does not show.
  EXPECT_TRUE(Eventually([&] { return RunIn(*cell, 1).out == "3\n"; }));
}

TEST_P(ProcessTest, CleaningUpAfterOneProcessSparesTheNext) {
  Session session = NewSession(
      SessionOf(CellOf({Shell("sleep 1000 &"), Shell("sleep 0.01; exit 5")})));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(RunIn(*cell, 0).termination.Succeeded());
    EXPECT_EQ(RunIn(*cell, 1).termination.ending, Ending(Exited{5}));
  }
}

TEST_P(ProcessTest, KillEndsTheWholeTree) {
  Session session =
      NewSession(SessionOf(CellOf({Shell("sleep 1000 & sleep 1000")})));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  auto process = cell->Start(0);
  ASSERT_TRUE(process) << process.error();
  ASSERT_TRUE(process->Kill());
  EXPECT_EQ(process->Wait()->ending, Ending(Signalled{SIGKILL}));
  if (Enforces(Weakness::kPids)) {
    EXPECT_TRUE(Eventually([&] { return cell->Stats()->pids == 0; }));
  }
}

TEST_P(ProcessTest, EmptiedEndsWithTheLastProcess) {
  Session session = NewSession(SessionOf(CellOf(
      {Shell("for i in 1 2 3 4 5 6 7 8; do setsid sleep 1000 & done; echo on; "
             "wait")})));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  for (int round = 0; round < 3; ++round) {
    auto process = cell->Start(0);
    ASSERT_TRUE(process) << process.error();
    char byte = 0;
    ASSERT_TRUE(Eventually(
        [&] { return ::read(process->stdout_fd(), &byte, 1) == 1; }));
    auto emptied = cell->Emptied();
    ASSERT_TRUE(emptied) << emptied.error();
    pollfd end = {emptied->get(), POLLIN, 0};
    EXPECT_EQ(::poll(&end, 1, 0), 0);
    ASSERT_TRUE(cell->Kill());
    ASSERT_EQ(::poll(&end, 1, 10'000), 1);
    // All had this open.
    char rest[16];
    ssize_t n = 0;
    while ((n = ::read(process->stdout_fd(), rest, sizeof(rest))) > 0) continue;
    EXPECT_EQ(n, 0) << "somebody still holds the output open";
  }
  // Also of a cell that is empty already.
  auto emptied = cell->Emptied();
  ASSERT_TRUE(emptied) << emptied.error();
  pollfd end = {emptied->get(), POLLIN, 0};
  EXPECT_EQ(::poll(&end, 1, 10'000), 1);
}

// Each holds something of the launcher's, which serves others too.
TEST_P(ProcessTest, WatchesOfACellAreBounded) {
  Session session = NewSession(SessionOf(CellOf({Shell("sleep 1000")})));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  auto process = cell->Start(0);
  ASSERT_TRUE(process) << process.error();
  int watches = 0;
  while (watches < 100 && cell->Emptied()) ++watches;
  EXPECT_EQ(watches, 16);
  ASSERT_TRUE(process->Kill());
}

TEST_P(ProcessTest, PoliteSignalReachesTheProgramOnly) {
  Session session = NewSession(SessionOf(
      CellOf({Shell("trap 'exit 7' TERM; echo on; while :; do sleep 0.01; "
                    "done")})));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  auto process = cell->Start(0);
  ASSERT_TRUE(process) << process.error();
  char byte = 0;
  ASSERT_TRUE(
      Eventually([&] { return ::read(process->stdout_fd(), &byte, 1) == 1; }));
  ASSERT_TRUE(process->Signal(SIGTERM));
  EXPECT_EQ(process->Wait()->ending, Ending(Exited{7}));
}

TEST_P(ProcessTest, KillForOutputIsToldAsOutputLimit) {
  Session session = NewSession(SessionOf(CellOf({Shell("yes")})));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  auto process = cell->Start(0);
  ASSERT_TRUE(process) << process.error();
  ASSERT_TRUE(process->Kill(KillReason::kOutputLimit));
  EXPECT_EQ(process->Wait()->ending, Ending(OutputLimit{}));
}

TEST_P(ProcessTest, KillOfAnEndedProcessIsNoMistake) {
  Session session = NewSession(SessionOf(CellOf({Shell("true")})));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  auto process = cell->Start(0);
  ASSERT_TRUE(process) << process.error();
  ASSERT_TRUE(process->Wait());
  EXPECT_TRUE(process->Kill());
  EXPECT_TRUE(process->TakeTermination()->Succeeded());
}

TEST_P(ProcessTest, UnknownBlueprintsAndProcessesAreRefused) {
  Session session = NewSession(SessionOf(CellOf({Shell("true")})));
  EXPECT_EQ(session.StartCell(1).error().code, Code::kInvalidArgument);
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  EXPECT_EQ(cell->Start(1).error().code, Code::kInvalidArgument);
  EXPECT_TRUE(RunIn(*cell).termination.Succeeded());
}

TEST_P(ProcessTest, ComesWithItsCellInOneGo) {
  Session session =
      NewSession(SessionOf(CellOf({Shell("exit 3"), Shell("exit 4")})));
  for (const int which : {0, 1, 0}) {
    auto started = session.StartCellWith(0, static_cast<std::uint32_t>(which));
    ASSERT_TRUE(started) << started.error();
    EXPECT_EQ(started->process.Wait()->ending, Ending(Exited{3 + which}));
    EXPECT_TRUE(started->cell.Start(0));
    EXPECT_TRUE(started->cell.Destroy());
  }
}

TEST_P(ProcessTest, ThatCannotBeStartedLeavesNoCell) {
  Session session = NewSession(SessionOf(CellOf({Shell("true")})));
  auto before = session.StartCell(0);
  ASSERT_TRUE(before) << before.error();
  const auto no_process = session.StartCellWith(0, 7);
  EXPECT_THAT(no_process.error().message,
              HasSubstr("the blueprint has no such process"));
  // Not one of the cell that was started before.
  const auto no_cell = session.StartCellWith(7, 0);
  EXPECT_THAT(no_cell.error().message, HasSubstr("there is no such blueprint"));
  EXPECT_TRUE(Eventually([&] {
    const auto stats = launcher_->Stats();
    return stats && stats->cells == 1 && stats->processes == 0;
  }));
  EXPECT_TRUE(RunIn(*before).termination.Succeeded());
}

// Nobody of ours sends so many; whoever has taken such a one over might.
TEST_P(ProcessTest, CallsThatNobodyWaitedForAreAnsweredInTurn) {
  auto socket = launcher_->CreateSession(SessionOf(CellOf({Shell("true")})));
  ASSERT_TRUE(socket) << socket.error();
  const Call start = {.type = CallType::kStartCell};
  const Call run = {.type = CallType::kStartProcess, .cell = kStartedLast};
  const std::vector<Call> calls = {start, run, run, start, start, run};
  for (const auto& call : calls) {
    ASSERT_TRUE(SendRecord(socket->get(), &call, sizeof(call)));
  }
  for (const auto& call : calls) {
    Reply reply = {};
    std::vector<UniqueFd> fds;
    ASSERT_EQ(ReceiveRecord(socket->get(), &reply, sizeof(reply), fds, 4),
              ReceiveResult::kMessage);
    EXPECT_EQ(reply.type, call.type);
    EXPECT_EQ(reply.error_number, 0);
    EXPECT_EQ(fds.size(), call.type == CallType::kStartProcess ? 3u : 0u);
  }
  EXPECT_EQ(launcher_->Stats()->cells, 3u);
}

}  // namespace
}  // namespace assay::sandbox
