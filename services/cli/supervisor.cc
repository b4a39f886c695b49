#include "services/cli/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <fstream>

#include "services/cli/child.h"
#include "services/cli/printable.h"

namespace assay::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kLogLines = 15;

// Waits for either descriptor (-1: none); false when `until` has passed.
bool PollTwo(int a, int b, Clock::time_point until) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
  if (left.count() <= 0) return false;
  pollfd fds[2] = {{a, POLLIN, 0}, {b, POLLIN, 0}};
  const int timeout =
      static_cast<int>(std::min<std::int64_t>(left.count(), 3'600'000));
  return poll(fds, 2, timeout) != 0;
}

// Our children, whoever started them: we adopt orphans.
std::vector<pid_t> Children() {
  std::ifstream in("/proc/self/task/" + std::to_string(getpid()) + "/children");
  std::vector<pid_t> pids;
  for (pid_t pid = 0; in >> pid;) pids.push_back(pid);
  return pids;
}

}  // namespace

Supervisor::Supervisor(std::filesystem::path log_dir)
    : log_dir_(std::move(log_dir)) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) {
    sigaddset(&set, signal);
  }
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  std::error_code ignored;
  std::filesystem::create_directories(log_dir_, ignored);
}

Supervisor::~Supervisor() {
  Stop(std::chrono::seconds(0));
  // What the programs left behind is ours by now.
  for (auto pids = Children(); !pids.empty(); pids = Children()) {
    for (const pid_t pid : pids) kill(pid, SIGKILL);
    for (const pid_t pid : pids) Wait(pid);
  }
  close(signals_);
}

Expected<std::string> Supervisor::Start(const std::string& name,
                                        std::vector<std::string> command,
                                        std::chrono::seconds timeout) {
  int out[2];
  if (pipe2(out, O_CLOEXEC) != 0) return SystemError("pipe", errno);
  const int log = open(LogFile(name).c_str(),
                       O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0600);
  const std::streamoff log_begin = lseek(log, 0, SEEK_END);
  const auto pid = cli::Start({.command = std::move(command),
                               .environment = {},
                               .output = out[1],
                               .error = log,
                               .supervised = true});
  close(out[1]);
  close(log);
  if (!pid) {
    close(out[0]);
    return std::unexpected(pid.error());
  }
  fcntl(out[0], F_SETFL, O_NONBLOCK);
  programs_.push_back({.name = name,
                       .pid = *pid,
                       .output = out[0],
                       .log_begin = std::max<std::streamoff>(log_begin, 0)});
  Program& program = programs_.back();
  const auto until = Clock::now() + timeout;
  std::string line;
  while (PollTwo(signals_, program.output, until)) {
    char buffer[512];
    const ssize_t size = read(program.output, buffer, sizeof buffer);
    if (size > 0) line.append(buffer, static_cast<std::size_t>(size));
    if (const auto end = line.find('\n'); end != std::string::npos) {
      return line.substr(0, end);
    }
    if (TakeSignals()) return Fail(Code::kCancelled, "stopped while starting");
    if (!program.running) return std::unexpected(Died(program));
    // The other end is closed and the program is about to end.
    if (size == 0) WaitForExit(program, std::chrono::seconds(1));
    if (!program.running) return std::unexpected(Died(program));
  }
  return Internal(name, " was not ready within ", timeout.count(),
                  " s; the end of ", LogFile(name).string(), ":\n",
                  EndOfLog(program));
}

Status Supervisor::WaitForEnd() {
  for (;;) {
    PollTwo(signals_, -1, Clock::now() + std::chrono::hours(1));
    if (TakeSignals()) return {};
    for (const Program& program : programs_) {
      if (!program.running) return std::unexpected(Died(program));
    }
  }
}

void Supervisor::Stop(std::chrono::seconds grace) {
  for (auto it = programs_.rbegin(); it != programs_.rend(); ++it) {
    if (it->running) {
      kill(it->pid, SIGTERM);
      if (!WaitForExit(*it, grace)) {
        kill(it->pid, SIGKILL);
        WaitForExit(*it, std::chrono::seconds(10));
      }
    }
    if (it->output >= 0) close(it->output);
    it->output = -1;
  }
}

bool Supervisor::TakeSignals() {
  bool asked = false;
  signalfd_siginfo info{};
  while (read(signals_, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGCHLD) {
      Reap();
    } else {
      asked = true;
    }
  }
  return asked;
}

// One SIGCHLD may stand for several deaths, and orphans that we adopted die
// too.
void Supervisor::Reap() {
  int status = 0;
  for (pid_t pid = 0; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    for (Program& program : programs_) {
      if (program.pid != pid) continue;
      program.running = false;
      program.exit_code = ExitCodeFromStatus(status);
    }
  }
}

bool Supervisor::WaitForExit(Program& program, std::chrono::seconds grace) {
  const auto until = Clock::now() + grace;
  while (program.running) {
    if (!PollTwo(signals_, -1, until)) break;
    if (TakeSignals()) break;
  }
  return !program.running;
}

Error Supervisor::Died(const Program& program) const {
  const std::string how =
      program.exit_code > 128
          ? "was ended by signal " + std::to_string(program.exit_code - 128)
          : "ended with exit code " + std::to_string(program.exit_code);
  return {Code::kInternal, program.name + " " + how + "; the end of " +
                               LogFile(program.name).string() + ":\n" +
                               EndOfLog(program)};
}

std::string Supervisor::EndOfLog(const Program& program) const {
  std::ifstream in(LogFile(program.name));
  in.seekg(program.log_begin);
  std::deque<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    lines.push_back(Printable(line));
    if (lines.size() > kLogLines) lines.pop_front();
  }
  std::string text;
  for (const std::string& line : lines) text += "  " + line + "\n";
  return text;
}

std::filesystem::path Supervisor::LogFile(const std::string& name) const {
  return log_dir_ / (name + ".log");
}

}  // namespace assay::cli
