#include "services/git_http/git_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <climits>
#include <optional>
#include <utility>

#include "proto/base/utf8.h"
#include "services/git_http/pre_receive_hook.h"

namespace assay::git_http {
namespace {

namespace asio = boost::asio;

constexpr const char* kGit = "/usr/bin/git";

// Held against every repository, whatever its own configuration says.
constexpr std::array kFixedConfig{
    "core.fsync=all",
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.alternateRefsCommand=true",  // no `.have` lines from the template
    "core.packedGitWindowSize=16m",
    "core.packedGitLimit=64m",
    "core.bigFileThreshold=16m",
    "gc.auto=0",
    "maintenance.auto=false",
    "pack.threads=1",
    "pack.windowMemory=64m",
    "protocol.allow=never",
    "receive.autogc=false",
    "receive.denyCurrentBranch=ignore",
    "receive.denyDeletes=true",
    "receive.fsckObjects=true",
    "receive.unpackLimit=1",
    "safe.directory=*",
    "transfer.hideRefs=refs/submissions",
    "transfer.hideRefs=refs/pushes",
    "uploadpack.allowFilter=false",
};

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

// Everything that the child needs, made before it exists: between vfork and
// exec it shares our memory and may only call the kernel.
struct Launch {
  std::vector<std::string> words, variables;
  std::vector<char*> argv, envp;
  std::array<std::pair<int, rlimit>, 4> limits;
  int input, output, errors;
  // The hook's ends, -1 where it may not ask.
  int question = -1, answer = -1;

  explicit Launch(const GitCommand& command) {
    words = {"git"};
    for (const char* option : kFixedConfig)
      words.insert(words.end(), {"-c", option});
    for (const std::string& option : command.config)
      words.insert(words.end(), {"-c", option});
    if (command.in_repository)
      words.push_back("--git-dir=" + command.repository.string());
    words.insert(words.end(), command.arguments.begin(),
                 command.arguments.end());
    if (!command.in_repository) words.push_back(command.repository.string());
    variables = {"PATH=/usr/bin:/bin",    "HOME=/nonexistent",
                 "LC_ALL=C.UTF-8",        "GIT_CONFIG_NOSYSTEM=1",
                 "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_GLOBAL=/dev/null"};
    if (!command.protocol.empty())
      variables.push_back("GIT_PROTOCOL=" + command.protocol);
    for (std::string& word : words) argv.push_back(word.data());
    for (std::string& variable : variables) envp.push_back(variable.data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    const auto limit = [](std::int64_t most) {
      return rlimit{static_cast<rlim_t>(most), static_cast<rlim_t>(most)};
    };
    limits = {{{RLIMIT_FSIZE, limit(command.max_file_bytes)},
               {RLIMIT_AS, limit(command.max_memory_bytes)},
               {RLIMIT_CPU, limit(command.max_cpu_seconds)},
               {RLIMIT_CORE, limit(0)}}};
  }
};

[[noreturn]] void RunChild(const Launch& launch, const sigset_t& signals) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const auto& [resource, limit] : launch.limits)
    ::setrlimit(static_cast<__rlimit_resource>(resource), &limit);
  if (::dup2(launch.input, 0) < 0 || ::dup2(launch.output, 1) < 0 ||
      ::dup2(launch.errors, 2) < 0)
    ::_exit(126);
  const bool asks = launch.question >= 0;
  if (asks && (::dup2(launch.question, kQuestionFd) < 0 ||
               ::dup2(launch.answer, kAnswerFd) < 0))
    ::_exit(126);
  // Sockets of other candidates are open here without close-on-exec.
  ::syscall(SYS_close_range, asks ? kAnswerFd + 1U : 3U, ~0U, 0U);
  ::sigprocmask(SIG_SETMASK, &signals, nullptr);
  ::execve(kGit, launch.argv.data(), launch.envp.data());
  ::_exit(127);
}

// A pipe whose ends are out of the way of the numbers that the child gives
// them.
struct Pipe {
  Fd read_end, write_end;

  static Expected<Pipe> Make() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return SystemError("make a pipe", errno);
    const Fd low_read(ends[0]), low_write(ends[1]);
    constexpr int kOutOfTheWay = 16;
    Pipe pipe;
    pipe.read_end = Fd(::fcntl(ends[0], F_DUPFD_CLOEXEC, kOutOfTheWay));
    pipe.write_end = Fd(::fcntl(ends[1], F_DUPFD_CLOEXEC, kOutOfTheWay));
    if (pipe.read_end.get() < 0 || pipe.write_end.get() < 0)
      return SystemError("make a pipe", errno);
    return pipe;
  }
};

// A handler of ours must not run in the child, which shares our memory.
pid_t Spawn(const Launch& launch) {
  sigset_t all, none, before;
  ::sigfillset(&all);
  ::sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
  const pid_t pid = ::vfork();
#pragma clang diagnostic pop
  if (pid == 0) RunChild(launch, none);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return pid;
}

// "fatal: pack exceeds maximum allowed size", the last thing that it said.
std::string LastLine(int fd) {
  std::array<char, 4096> buffer;
  const off_t size = ::lseek(fd, 0, SEEK_END);
  const off_t from =
      std::max<off_t>(0, size - static_cast<off_t>(buffer.size()));
  const ssize_t count = ::pread(fd, buffer.data(), buffer.size(), from);
  std::string_view text(buffer.data(),
                        static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  while (text.ends_with('\n')) text.remove_suffix(1);
  return PresentableLine(text.substr(text.rfind('\n') + 1), 300);
}

std::unexpected<Error> EndError(const siginfo_t& info, bool timed_out,
                                const std::string& complaint) {
  if (timed_out) return Internal("git took too long and was stopped");
  if (info.si_code != CLD_EXITED)
    return Internal("git was stopped by signal ", info.si_status,
                    info.si_status == SIGXCPU || info.si_status == SIGXFSZ
                        ? " (a limit on its resources)"
                        : "");
  return Internal("git exited with ", info.si_status, ": ",
                  complaint.empty() ? "it did not say why" : complaint);
}

}  // namespace

struct GitProcess::State {
  State(asio::any_io_executor strand, pid_t pid, Fd out, Fd errors, Fd pidfd)
      : pid(pid),
        output(strand, out.release()),
        exit(strand, pidfd.release()),
        timer(strand),
        errors(std::move(errors)) {}

  void Kill() {
    if (!reaped) ::kill(-pid, SIGKILL);
  }

  const pid_t pid;
  // Of the hook's question, where it may ask.
  std::optional<asio::posix::stream_descriptor> question;
  Fd answer;
  asio::posix::stream_descriptor output;
  asio::posix::stream_descriptor exit;
  asio::steady_timer timer;
  Fd errors;
  bool reaped = false;
  bool timed_out = false;
};

Expected<std::unique_ptr<GitProcess>> GitProcess::Start(
    asio::any_io_executor strand, const GitCommand& command) {
  ASSAY_ASSIGN_OR_RETURN(Pipe out, Pipe::Make());
  Pipe question, answer;
  if (command.asks) {
    ASSAY_ASSIGN_OR_RETURN(question, Pipe::Make());
    ASSAY_ASSIGN_OR_RETURN(answer, Pipe::Make());
  }
  Fd errors(::memfd_create("git-stderr", MFD_CLOEXEC));
  Fd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (errors.get() < 0 || nothing.get() < 0)
    return SystemError("open what git needs", errno);
  if (command.input >= 0 && ::lseek(command.input, 0, SEEK_SET) != 0)
    return SystemError("rewind git's input", errno);
  Launch launch(command);
  launch.input = command.input >= 0 ? command.input : nothing.get();
  launch.output = out.write_end.get();
  launch.question = question.write_end.get();
  launch.answer = answer.read_end.get();
  launch.errors = errors.get();
  const pid_t pid = Spawn(launch);
  if (pid < 0) return SystemError("start git", errno);
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (pidfd.get() < 0) {
    const int error = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return SystemError("watch git", error);
  }
  auto state = std::make_shared<State>(strand, pid, std::move(out.read_end),
                                       std::move(errors), std::move(pidfd));
  if (command.asks) {
    state->question.emplace(strand, question.read_end.release());
    state->answer = std::move(answer.write_end);
  }
  state->timer.expires_after(command.time_limit);
  state->timer.async_wait(
      [weak = std::weak_ptr(state)](boost::system::error_code error) {
        const auto running = weak.lock();
        if (error || !running) return;
        running->timed_out = true;
        running->Kill();
      });
  return std::unique_ptr<GitProcess>(new GitProcess(std::move(state)));
}

GitProcess::GitProcess(std::shared_ptr<State> state)
    : state_(std::move(state)) {}

GitProcess::~GitProcess() {
  if (state_->reaped) return;
  state_->Kill();
  ::waitpid(state_->pid, nullptr, 0);
}

asio::awaitable<Expected<std::size_t>> GitProcess::ReadSome(
    std::span<char> buffer) {
  boost::system::error_code error;
  const std::size_t count = co_await state_->output.async_read_some(
      asio::buffer(buffer.data(), buffer.size()),
      asio::redirect_error(asio::use_awaitable, error));
  if (error == asio::error::eof) co_return std::size_t{0};
  if (error) co_return Internal("reading from git: ", error.message());
  co_return count;
}

asio::awaitable<std::string> GitProcess::ReadQuestion() {
  std::string line;
  boost::system::error_code error;
  if (state_->question)
    co_await asio::async_read_until(
        *state_->question, asio::dynamic_buffer(line, PATH_MAX), '\n',
        asio::redirect_error(asio::use_awaitable, error));
  if (error || line.empty()) co_return std::string();
  co_return line.substr(0, line.find('\n'));
}

// The pipe is empty and has room; where the hook is gone, SIGPIPE is ignored.
void GitProcess::Answer(bool go) {
  const std::string_view word = go ? "go\n" : "no\n";
  static_cast<void>(::write(state_->answer.get(), word.data(), word.size()) >=
                    0);
}

void GitProcess::Kill() { state_->Kill(); }

asio::awaitable<Status> GitProcess::Wait() {
  boost::system::error_code error;
  co_await state_->exit.async_wait(
      asio::posix::stream_descriptor::wait_read,
      asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return Internal("waiting for git: ", error.message());
  siginfo_t info = {};
  const auto pid = static_cast<id_t>(state_->pid);
  ::waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
  // What it left behind of its group goes too, while the id is still taken.
  state_->Kill();
  ::waitid(P_PID, pid, &info, WEXITED);
  state_->reaped = true;
  state_->timer.cancel();
  if (info.si_code == CLD_EXITED && info.si_status == 0) co_return Status();
  co_return EndError(info, state_->timed_out, LastLine(state_->errors.get()));
}

}  // namespace assay::git_http
