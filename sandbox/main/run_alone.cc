// assay-sandbox as its own launcher: one process beside the cell instead of
// two, and no messages between them. A process of its own for the launcher pays
// off where somebody may take the client over; here the client is a shell's
// user, who started both.

#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "sandbox/cell/blueprint.h"
#include "sandbox/launcher/host.h"
#include "sandbox/launcher/live_cell.h"
#include "sandbox/main/run_command.h"
#include "sandbox/main/stream_relay.h"

namespace assay::sandbox {
namespace {

constexpr std::uint32_t kProcess = 1;

// Signals that mean: end the command, clean up, and die of it too.
sigset_t Interruptions() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    ::sigaddset(&set, signal);
  }
  return set;
}

Error Fault(const SetupFault& fault, const std::string& detail) {
  const char* reason = ::strerrordesc_np(fault.error_number);
  std::string text = "start the cell: ";
  text += SetupStepName(fault.step);
  if (!detail.empty()) text += ": " + detail;
  return {Code::kFailedPrecondition,
          text + ": " + (reason != nullptr ? reason : "unknown error")};
}

class LoneRun {
 public:
  LoneRun(Host& host, const RunOptions& options, const CellSpec& cell,
          Streams streams)
      : host_(host),
        options_(options),
        streams_(std::move(streams)),
        cell_(host, cell, 1, [this] { gone_ = true; }) {}
  ~LoneRun() {
    host_.loop.Unwatch(exit_watch_);
    host_.loop.Unwatch(signal_watch_);
  }

  Expected<RunResult> Run() {
    ASSAY_RETURN_IF_ERROR(
        RefuseWeaker(cell_.weaker(), options_.allowed_weaker));
    const sigset_t signals = Interruptions();
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    signals_.Reset(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    signal_watch_ = host_.loop.Watch(signals_.get(), EPOLLIN,
                                     [this](std::uint32_t) { OnSignal(); });
    // The process is cloned while pid 1 is still busy.
    std::optional<Error> error = BuildCell();
    if (!error) error = StartProcess();
    if (!error) error = WaitForCell();
    if (!error) {
      while (!process_->TakeTermination()) host_.loop.RunOnce();
      result_.termination = *process_->TakeTermination();
      result_.weaker = cell_.weaker();
    }
    cell_.Destroy();
    // Of what is going down meanwhile: the counters are there until the end.
    // Reading them takes longer than that, and only the JSON tells of them.
    if (!error && !options_.json_path.empty()) result_.stats = cell_.Stats();
    while (!gone_) host_.loop.RunOnce();
    FinishStreams();
    if (error) return std::unexpected(*error);
    return result_;
  }

  // The signal that ended us, or 0.
  int interrupted() const { return interrupted_; }

 private:
  std::optional<Error> BuildCell() {
    const std::uint32_t uid = host_.identity.Take();
    cell_.EndWith(kProcess);
    const auto built = cell_.Build(
        uid, {}, {}, [this](const SetupFault& fault) { ready_ = fault; });
    if (built) return std::nullopt;
    return Fault(built.error().fault, built.error().detail);
  }

  std::optional<Error> WaitForCell() {
    while (!ready_) host_.loop.RunOnce();
    if (ready_->step == SetupStep::kNone) return std::nullopt;
    return Fault(*ready_, "");
  }

  std::optional<Error> StartProcess() {
    ClientEnds ends;
    const SetupFault fault = cell_.StartProcess(0, kProcess, {}, ends);
    if (fault.step != SetupStep::kNone) return Fault(fault, "");
    for (const UniqueFd* fd : {&ends.out, &ends.err, &ends.in, &ends.exit}) {
      ::fcntl(fd->get(), F_SETFL, O_NONBLOCK | ::fcntl(fd->get(), F_GETFL));
    }
    const auto over = [this] {
      if (LiveProcess* live = cell_.Find(kProcess)) {
        live->SetReason(OutputLimit{});
        cell_.KillProcess(*live);
      }
    };
    EventLoop& loop = host_.loop;
    const StreamRelay::Rules output = {.cap = options_.output_bytes,
                                       .on_cap = over};
    out_.emplace(loop, std::move(ends.out), std::move(streams_.out), output);
    err_.emplace(loop, std::move(ends.err), std::move(streams_.err), output);
    in_.emplace(loop, std::move(streams_.in), std::move(ends.in),
                StreamRelay::Rules{.read_on = false});
    process_.emplace(nullptr, kProcess, UniqueFd(), UniqueFd(), UniqueFd(),
                     std::move(ends.exit));
    // Only to wake up.
    exit_watch_ =
        loop.Watch(process_->exit_fd(), EPOLLIN | EPOLLONESHOT, [](auto) {});
    return std::nullopt;
  }

  void OnSignal() {
    signalfd_siginfo info;
    if (::read(signals_.get(), &info, sizeof(info)) != sizeof(info)) return;
    interrupted_ = static_cast<int>(info.ssi_signo);
    cell_.KillProcesses();
  }

  // What came before the end is in the pipes.
  void FinishStreams() {
    in_.reset();
    for (auto* stream : {&out_, &err_}) {
      if (*stream) (*stream)->Finish();
    }
    if (out_) result_.out = out_->result();
    if (err_) result_.err = err_->result();
    CountCutOutput(result_);
  }

  Host& host_;
  const RunOptions& options_;
  Streams streams_;
  LiveCell cell_;
  std::optional<SetupFault> ready_;
  std::optional<Process> process_;
  std::optional<StreamRelay> out_, err_, in_;
  UniqueFd signals_;
  EventLoop::Token signal_watch_ = 0;
  EventLoop::Token exit_watch_ = 0;
  RunResult result_;
  int interrupted_ = 0;
  bool gone_ = false;
};

[[noreturn]] void DieOf(int signal) {
  const sigset_t signals = Interruptions();
  ::signal(signal, SIG_DFL);
  ::raise(signal);
  ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
  ::_exit(128 + signal);
}

}  // namespace

Expected<RunResult> RunAlone(const RunOptions& options, const CellSpec& cell,
                             Streams streams) {
  const mode_t mask = ::umask(022);
  int interrupted = 0;
  Expected<RunResult> result = [&]() -> Expected<RunResult> {
    const CgroupTree::Use use = {.single_cell = true,
                                 .cores = cell.limits.cores > 0,
                                 .io = cell.limits.io_bytes_per_second > 0};
    ASSAY_ASSIGN_OR_RETURN(Host host, Host::Take(::getuid(), ::getgid(), use));
    host.staging.ForLastCell();
    LoneRun run(host, options, cell, std::move(streams));
    auto ran = run.Run();
    interrupted = run.interrupted();
    return ran;
  }();
  ::umask(mask);
  if (interrupted != 0) DieOf(interrupted);
  return result;
}

}  // namespace assay::sandbox
