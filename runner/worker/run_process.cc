#include "runner/worker/run_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "runner/worker/event_parser.h"

namespace assay::worker {
namespace {

namespace asio = boost::asio;
using sandbox::UniqueFd;

// glibc 2.36's <sys/pidfd.h> cannot be used from C++.
int PidfdOpen(pid_t pid) {
  return static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
}
void PidfdKill(int pidfd) {
  syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
}

constexpr int kInputFd = 3;
constexpr int kSessionFd = 4;
constexpr int kReportFd = 5;
constexpr int kEgressFd = 6;
constexpr int kSidecarsFd = 7;
// For the child to end after its last word.
constexpr std::chrono::seconds kEndLimit{5};
constexpr std::size_t kComplaintBytes = 2'048;

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Expected<Pipe> MakePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return SystemError("pipe2", errno);
  Pipe pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
  // Ours only: the child's end keeps blocking.
  fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK);
  return pipe;
}

// A copy above the numbers that the child expects, so that dup2 onto one of
// those cannot close another.
Expected<UniqueFd> High(int fd) {
  UniqueFd high(fcntl(fd, F_DUPFD_CLOEXEC, 16));
  if (!high) return SystemError("duplicate a descriptor", errno);
  return high;
}

// What the child gets; -1 where there is none.
struct ChildFds {
  int input = -1;
  int session = -1;
  int report = -1;
  int complaint = -1;
  int egress = -1;
  int sidecars = -1;
};

Expected<pid_t> Spawn(const std::string& program, const ChildFds& fds) {
  std::vector<std::string> arguments = {
      program, "--input-fd", "3", "--session-fd", "4", "--report-fd", "5"};
  if (fds.egress >= 0) arguments.insert(arguments.end(), {"--egress-fd", "6"});
  if (fds.sidecars >= 0) {
    arguments.insert(arguments.end(), {"--sidecars-fd", "7"});
  }
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
  char locale[] = "LANG=C.UTF-8";
  char* environment[] = {path, locale, nullptr};

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&actions, 0, 1);
  for (const auto& [from, to] :
       {std::pair{fds.complaint, 2}, std::pair{fds.input, kInputFd},
        std::pair{fds.session, kSessionFd}, std::pair{fds.report, kReportFd},
        std::pair{fds.egress, kEgressFd},
        std::pair{fds.sidecars, kSidecarsFd}}) {
    if (from >= 0) posix_spawn_file_actions_adddup2(&actions, from, to);
  }
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  // A group of its own: Ctrl-C is for the worker, which then decides.
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  pid_t pid = -1;
  const int failed = posix_spawn(&pid, program.c_str(), &actions, &attributes,
                                 argv.data(), environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return SystemError("start " + program, failed);
  return pid;
}

std::string DescribeExit(int status) {
  if (WIFEXITED(status))
    return "exited with code " + std::to_string(WEXITSTATUS(status));
  if (WIFSIGNALED(status))
    return "was killed by signal " + std::to_string(WTERMSIG(status)) + " (" +
           strsignal(WTERMSIG(status)) + ")";
  return "ended";
}

class Process final : public RunProcess {
 public:
  Process(asio::any_io_executor executor, pid_t pid, UniqueFd pidfd,
          UniqueFd report, UniqueFd complaint, sandbox::DiallerProcess egress)
      : pid_(pid),
        exit_(executor, pidfd.Release()),
        report_(executor, report.Release()),
        complaint_(std::move(complaint)),
        egress_(std::move(egress)),
        limit_(executor) {}
  ~Process() override {
    Kill();
    if (!reaped_) Reap();
  }

  asio::awaitable<Status> Follow(Take take,
                                 std::chrono::milliseconds limit) override {
    KillAfter(limit, /*is_runs_limit=*/true);
    bool finished = false;
    const Status read = co_await ReadEvents(std::move(take), finished);
    // What it still does after its last word must not hold up the slot.
    if (!over_limit_) KillAfter(kEndLimit, /*is_runs_limit=*/false);
    boost::system::error_code ignored;
    co_await exit_.async_wait(
        asio::posix::stream_descriptor::wait_read,
        asio::redirect_error(asio::use_awaitable, ignored));
    limit_.cancel();
    const int status = Reap();
    if (!read) co_return std::unexpected(read.error());
    if (finished) co_return Status{};
    if (over_limit_)
      co_return Internal("assay-run did not end within the run's own limit");
    co_return Internal("assay-run ", DescribeExit(status),
                       " before the run was over", Complaint());
  }

  void Kill() override {
    if (!reaped_) PidfdKill(exit_.native_handle());
  }

 private:
  asio::awaitable<Status> ReadEvents(Take take, bool& finished) {
    EventParser parser;
    std::vector<char> buffer(64 << 10);
    while (!finished) {
      boost::system::error_code end;
      const std::size_t got = co_await report_.async_read_some(
          asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, end));
      if (end) break;
      auto events = parser.Feed({buffer.data(), got});
      if (!events) {
        Kill();
        co_return std::unexpected(events.error());
      }
      for (std::size_t i = 0; i < events->size(); ++i) {
        if (!(*events)[i].has_finished()) continue;
        // Nothing counts after the last word.
        events->resize(i + 1);
        finished = true;
      }
      if (!events->empty()) co_await take(*std::move(events));
    }
    co_return Status{};
  }

  void KillAfter(std::chrono::milliseconds limit, bool is_runs_limit) {
    limit_.expires_after(limit);
    limit_.async_wait([this, alive = std::weak_ptr<bool>(alive_),
                       is_runs_limit](boost::system::error_code cancelled) {
      if (cancelled || alive.expired()) return;
      over_limit_ = is_runs_limit;
      Kill();
    });
  }

  int Reap() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    reaped_ = true;
    return status;
  }

  // The end of what it wrote to standard error; nobody reads it meanwhile, so
  // it is at most what a pipe holds.
  std::string Complaint() {
    std::string text(64 << 10, '\0');
    const ssize_t got = read(complaint_.get(), text.data(), text.size());
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    if (text.size() > kComplaintBytes)
      text.erase(0, text.size() - kComplaintBytes);
    for (char& c : text)
      if (static_cast<unsigned char>(c) < 0x20 ||
          static_cast<unsigned char>(c) >= 0x7f)
        c = ' ';
    return text.empty() ? "" : "; it said: " + text;
  }

  const pid_t pid_;
  bool reaped_ = false;
  bool over_limit_ = false;
  asio::posix::stream_descriptor exit_;  // the pidfd
  asio::posix::stream_descriptor report_;
  UniqueFd complaint_;
  // Ends with the run.
  sandbox::DiallerProcess egress_;
  asio::steady_timer limit_;
  // Handlers that were queued before the end look whether it has come.
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace

Expected<std::unique_ptr<RunProcess>> RunProcess::Start(
    asio::any_io_executor executor, const std::string& program,
    PreparedRun prepared) {
  ASSAY_ASSIGN_OR_RETURN(Pipe report, MakePipe());
  ASSAY_ASSIGN_OR_RETURN(Pipe complaint, MakePipe());
  // A child that complains without end must not wait for a reader.
  fcntl(complaint.write.get(), F_SETFL, O_NONBLOCK);
  ASSAY_ASSIGN_OR_RETURN(const UniqueFd input, High(prepared.input.get()));
  ASSAY_ASSIGN_OR_RETURN(const UniqueFd session, High(prepared.session.get()));
  ASSAY_ASSIGN_OR_RETURN(const UniqueFd report_end, High(report.write.get()));
  ASSAY_ASSIGN_OR_RETURN(const UniqueFd complaint_end,
                         High(complaint.write.get()));
  UniqueFd egress;
  if (prepared.egress.socket() >= 0) {
    ASSAY_ASSIGN_OR_RETURN(egress, High(prepared.egress.TakeSocket().get()));
  }
  UniqueFd sidecars;
  if (prepared.sidecars) {
    ASSAY_ASSIGN_OR_RETURN(sidecars, High(prepared.sidecars.get()));
  }
  ASSAY_ASSIGN_OR_RETURN(const pid_t pid,
                         Spawn(program, {.input = input.get(),
                                         .session = session.get(),
                                         .report = report_end.get(),
                                         .complaint = complaint_end.get(),
                                         .egress = egress.get(),
                                         .sidecars = sidecars.get()}));
  UniqueFd pidfd(PidfdOpen(pid));
  if (!pidfd) {
    const int error = errno;
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return SystemError("pidfd_open", error);
  }
  return std::make_unique<Process>(
      std::move(executor), pid, std::move(pidfd), std::move(report.read),
      std::move(complaint.read), std::move(prepared.egress));
}

}  // namespace assay::worker
