#include "sandbox/egress/dialler_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>
#include <utility>
#include <vector>

namespace assay::sandbox {
namespace {

// The socket is descriptor 3 of the program.
constexpr int kSocket = 3;

Expected<pid_t> SpawnWithSocket(const std::string& path, int socket,
                                std::vector<std::string> arguments) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  char* environment[] = {nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&actions, 0, 1);
  posix_spawn_file_actions_adddup2(&actions, socket, kSocket);
  posix_spawn_file_actions_addclosefrom_np(&actions, kSocket + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  // A group of its own: Ctrl-C is for whoever started us both.
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, path.c_str(), &actions, &attributes,
                                  argv.data(), environment);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return SystemError("start '" + path + "'", error);
  return pid;
}

}  // namespace

Expected<DiallerProcess> DiallerProcess::Spawn(
    const std::string& path, std::span<const Destination> destinations) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
    return SystemError("create a socket for assay-egress", errno);
  }
  DiallerProcess process;
  process.socket_.Reset(pair[0]);
  UniqueFd theirs(pair[1]);
  // dup2 onto itself would leave close-on-exec set.
  if (theirs.get() == kSocket) {
    theirs.Reset(::fcntl(kSocket, F_DUPFD_CLOEXEC, kSocket + 1));
  }
  std::vector<std::string> arguments = {"assay-egress"};
  for (const auto& destination : destinations) {
    arguments.push_back(FormatDestination(destination));
  }
  ASSAY_ASSIGN_OR_RETURN(
      process.pid_, SpawnWithSocket(path, theirs.get(), std::move(arguments)));
  return process;
}

DiallerProcess::DiallerProcess(DiallerProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), socket_(std::move(other.socket_)) {}

DiallerProcess& DiallerProcess::operator=(DiallerProcess&& other) noexcept {
  if (this == &other) return *this;
  End();
  pid_ = std::exchange(other.pid_, -1);
  socket_ = std::move(other.socket_);
  return *this;
}

DiallerProcess::~DiallerProcess() { End(); }

void DiallerProcess::End() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

}  // namespace assay::sandbox
