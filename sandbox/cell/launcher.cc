#include "sandbox/cell/launcher.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "sandbox/cell/blueprint.h"
#include "sandbox/cell/message_socket.h"
#include "sandbox/cell/protocol.h"

namespace assay::sandbox {
namespace {

struct WeaknessText {
  Weakness weakness;
  std::string_view name;
  std::string_view text;
};

constexpr std::array<WeaknessText, 10> kWeaknesses = {{
    {Weakness::kMemory, "memory",
     "memory: a data limit per process instead of one for the cell (no memory "
     "cgroup that we may use)"},
    {Weakness::kPids, "pids",
     "pids: a limit per user instead of one for the cell (no pids cgroup that "
     "we may use)"},
    {Weakness::kCores, "cores",
     "cores: no limit (no cpu cgroup that we may use)"},
    {Weakness::kTreeKill, "tree-kill",
     "killing: through the cell's pid namespace, slowly and the whole cell at "
     "once (no cgroup that we may use)"},
    {Weakness::kCpuTime, "cpu-time",
     "CPU time: counted per process (no cgroup that we may use)"},
    {Weakness::kFreeze, "freeze",
     "freezing: refused (no cgroup that we may use)"},
    {Weakness::kSharedUid, "shared-uid",
     "identity: all cells run under the caller's own uid (not started by "
     "root)"},
    {Weakness::kGroups, "groups",
     "groups: the caller's supplementary groups stay with the cells (not "
     "started by root)"},
    {Weakness::kTimerPriority, "timer-priority",
     "time limits: may fire late on a busy machine (no real-time priority)"},
    {Weakness::kIo, "io",
     "disk rate: no limit (no io controller of cgroup v2 that we may use)"},
}};

Expected<Reply> AskLauncher(int control, const Call& call,
                            std::span<const int> fds,
                            std::vector<UniqueFd>& received) {
  Reply reply;
  if (!SendRecord(control, &call, sizeof(call), fds) ||
      ReceiveRecord(control, &reply, sizeof(reply), received, 1) !=
          ReceiveResult::kMessage ||
      reply.type != call.type) {
    return Unavailable(
        "assay-launcher is gone; its last words are on standard error");
  }
  if (reply.error_number == 0) return reply;
  reply.detail[sizeof(reply.detail) - 1] = '\0';
  if (reply.error_number == EINVAL) return InvalidArgument(reply.detail);
  if (reply.error_number == ENOSPC) {
    return ResourceExhausted(reply.detail);
  }
  return FailedPrecondition(reply.detail, ": ",
                            ::strerrordesc_np(reply.error_number));
}

Expected<UniqueFd> SealedMemory(std::string_view bytes) {
  UniqueFd fd(
      ::memfd_create("assay-blueprints", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return SystemError("create a memfd", errno);
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd.get(), bytes.data(), bytes.size());
    if (n < 0) return SystemError("write the blueprints", errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::fcntl(fd.get(), F_ADD_SEALS,
              F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) {
    return SystemError("seal the blueprints", errno);
  }
  return fd;
}

// The control socket is descriptor 3 of the launcher.
Expected<pid_t> SpawnWithControl(const std::string& path, int control) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, control, 3);
  posix_spawn_file_actions_addclosefrom_np(&actions, 4);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigaddset(&signals, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  // A group of its own: Ctrl-C is for the worker, which closes the socket when
  // it has finished.
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK |
                                            POSIX_SPAWN_SETSIGDEF |
                                            POSIX_SPAWN_SETPGROUP);
  const char* name = "assay-launcher";
  char* argv[] = {const_cast<char*>(name), nullptr};
  char* environment[] = {nullptr};
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, path.c_str(), &actions, &attributes,
                                  argv, environment);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return SystemError("start " + path, error);
  return pid;
}

}  // namespace

std::vector<std::string> DescribeWeaknesses(std::uint32_t bits) {
  std::vector<std::string> lines;
  for (const auto& entry : kWeaknesses) {
    if ((bits & static_cast<std::uint32_t>(entry.weakness)) != 0) {
      lines.emplace_back(entry.text);
    }
  }
  return lines;
}

std::string_view WeaknessName(Weakness weakness) {
  for (const auto& entry : kWeaknesses) {
    if (entry.weakness == weakness) return entry.name;
  }
  return "unknown";
}

Expected<Launcher> Launcher::Spawn(const std::string& path) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
    return SystemError("create the control socket", errno);
  }
  UniqueFd ours(pair[0]);
  UniqueFd theirs(pair[1]);
  // dup2 onto itself would leave close-on-exec set.
  if (theirs.get() == 3) theirs.Reset(::fcntl(3, F_DUPFD_CLOEXEC, 4));
  ASSAY_ASSIGN_OR_RETURN(const pid_t pid, SpawnWithControl(path, theirs.get()));
  theirs.Reset();
  auto launcher = Adopt(std::move(ours), pid);
  if (!launcher) {
    return std::unexpected(launcher.error().Within("start " + path));
  }
  return launcher;
}

Expected<Launcher> Launcher::Adopt(UniqueFd control, pid_t pid) {
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  Launcher launcher(std::move(control), pid, std::move(pidfd), 0);
  std::vector<UniqueFd> none;
  ASSAY_ASSIGN_OR_RETURN(const Reply hello,
                         AskLauncher(launcher.control_.get(),
                                     Call{.type = CallType::kHello}, {}, none));
  launcher.weaker_ = hello.weaker;
  return launcher;
}

Launcher::Launcher(UniqueFd control, pid_t pid, UniqueFd pidfd,
                   std::uint32_t weaker)
    : control_(std::move(control)),
      pid_(pid),
      pidfd_(std::move(pidfd)),
      weaker_(weaker) {}

Launcher::Launcher(Launcher&& other) noexcept
    : control_(std::move(other.control_)),
      pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      weaker_(other.weaker_) {}

Launcher& Launcher::operator=(Launcher&& other) noexcept {
  if (this == &other) return *this;
  Stop();
  control_ = std::move(other.control_);
  pid_ = std::exchange(other.pid_, -1);
  pidfd_ = std::move(other.pidfd_);
  weaker_ = other.weaker_;
  return *this;
}

Launcher::~Launcher() { Stop(); }

void Launcher::Stop() {
  control_.Reset();
  if (pid_ <= 0) return;
  // The launcher takes every cell down first; 10 s are for a machine that
  // swaps. If it hangs, its death still kills the cells.
  pollfd wait = {pidfd_.get(), POLLIN, 0};
  if (::poll(&wait, 1, 10'000) != 1) ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

Expected<UniqueFd> Launcher::CreateSession(const SessionSpec& spec) {
  ASSAY_ASSIGN_OR_RETURN(const auto encoded, EncodeSession(spec));
  ASSAY_ASSIGN_OR_RETURN(const auto memory, SealedMemory(encoded.bytes));
  std::vector<int> fds = {memory.get()};
  fds.insert(fds.end(), encoded.fds.begin(), encoded.fds.end());
  std::vector<UniqueFd> received;
  ASSAY_RETURN_IF_ERROR(AskLauncher(
      control_.get(), Call{.type = CallType::kCreateSession}, fds, received));
  if (received.size() != 1) {
    return Internal("assay-launcher made a session without a socket");
  }
  return std::move(received[0]);
}

Expected<LauncherStats> Launcher::Stats() {
  std::vector<UniqueFd> none;
  ASSAY_ASSIGN_OR_RETURN(
      const Reply reply,
      AskLauncher(control_.get(), Call{.type = CallType::kLauncherStats}, {},
                  none));
  return LauncherStats{.sessions = reply.sessions,
                       .cells = reply.cells,
                       .processes = reply.processes,
                       .resident_bytes = reply.memory_bytes};
}

}  // namespace assay::sandbox
