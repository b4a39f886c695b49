#include "services/cli/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace assay::cli {
namespace {

constexpr std::size_t kMostOutput = 64u << 10;

// Runs between fork and exec, in a copy of a process that may have threads:
// only async-signal-safe calls.
[[noreturn]] void BecomeProgram(const ChildOptions& options, char* const* argv,
                                char* const* envp, pid_t parent, int report) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (options.supervised) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(127);
  }
  if (options.output >= 0) dup2(options.output, STDOUT_FILENO);
  if (options.error >= 0) dup2(options.error, STDERR_FILENO);
  execvpe(argv[0], argv, envp);
  const int error = errno;
  (void)!write(report, &error, sizeof error);
  _exit(127);
}

std::vector<std::string> MergedEnvironment(const Environment& added) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::string name = text.substr(0, text.find('='));
    bool replaced = false;
    for (const auto& [key, value] : added) replaced |= key == name;
    if (!replaced) result.push_back(text);
  }
  for (const auto& [key, value] : added) result.push_back(key + "=" + value);
  return result;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

Expected<pid_t> Start(const ChildOptions& options) {
  std::vector<std::string> command = options.command;
  std::vector<std::string> environment = MergedEnvironment(options.environment);
  const std::vector<char*> argv = Pointers(command);
  const std::vector<char*> envp = Pointers(environment);
  // Closed by a successful exec; else it carries errno.
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) return SystemError("pipe", errno);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    BecomeProgram(options, argv.data(), envp.data(), parent, report[1]);
  }
  const int fork_error = errno;
  close(report[1]);
  int error = 0;
  const ssize_t got = pid > 0 ? read(report[0], &error, sizeof error) : 0;
  close(report[0]);
  if (pid < 0) return SystemError("fork", fork_error);
  if (got > 0) {
    Wait(pid);
    return SystemError("start " + options.command[0], error);
  }
  return pid;
}

int ExitCodeFromStatus(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int Wait(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return ExitCodeFromStatus(status);
}

Expected<Captured> Capture(const std::vector<std::string>& command,
                           const Environment& environment) {
  int out[2];
  if (pipe2(out, O_CLOEXEC) != 0) return SystemError("pipe", errno);
  const auto pid = Start({.command = command,
                          .environment = environment,
                          .output = out[1],
                          .error = out[1]});
  close(out[1]);
  Captured captured;
  char buffer[4096];
  ssize_t size = 0;
  while (pid && (size = read(out[0], buffer, sizeof buffer)) > 0) {
    if (captured.output.size() < kMostOutput) {
      captured.output.append(buffer, static_cast<std::size_t>(size));
    }
  }
  close(out[0]);
  if (!pid) return std::unexpected(pid.error());
  captured.exit_code = Wait(*pid);
  while (captured.output.ends_with('\n')) captured.output.pop_back();
  return captured;
}

std::string SiblingProgram(const std::string& name) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return name;
  const auto sibling = self.parent_path() / name;
  return std::filesystem::exists(sibling, error) ? sibling.string() : name;
}

}  // namespace assay::cli
