#include "sandbox/launcher/identity.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "sandbox/launcher/clone_child.h"
#include "sandbox/policy/confinement.h"

namespace assay::sandbox {
namespace {

// Above what useradd, subuid, containers and systemd hand out, below 2^31.
// Launchers that live at the same time get different parts of the range.
constexpr std::uint32_t kFirstUid = 1'900'000'000;
constexpr std::uint32_t kUidsPerLauncher = 1024;
constexpr std::uint32_t kLauncherParts = 16'384;

bool WriteProc(pid_t pid, const char* name, const std::string& content) {
  const std::string path = "/proc/" + std::to_string(pid) + "/" + name;
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return fd && ::write(fd.get(), content.data(), content.size()) ==
                   static_cast<ssize_t>(content.size());
}

std::string MapLine(std::uint32_t inside, std::uint32_t outside) {
  return std::to_string(inside) + " " + std::to_string(outside) + " 1";
}

}  // namespace

Expected<Identity> Identity::Enter(uid_t worker_uid, gid_t worker_gid) {
  if (::geteuid() != 0) return EnterUserNamespace();
  Identity identity;
  identity.worker_uid_ = worker_uid;
  identity.worker_gid_ = worker_gid;
  identity.first_uid_ = kFirstUid + static_cast<std::uint32_t>(::getpid()) %
                                        kLauncherParts * kUidsPerLauncher;
  if (::setgroups(0, nullptr) != 0) {
    return SystemError("drop supplementary groups", errno);
  }
  return identity;
}

Expected<Identity> Identity::EnterUserNamespace() {
  const auto uid = static_cast<std::uint32_t>(::geteuid());
  const auto gid = static_cast<std::uint32_t>(::getegid());
  // The network namespace is there to come back to: after making a socket in a
  // cell, a process without privileges on the host could not return to its.
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
    return FailedPrecondition(
        "cannot create a user namespace (errno ", errno,
        "). An ordinary user needs user.max_user_namespaces > 0, "
        "kernel.unprivileged_userns_clone = 1 where it exists, and no AppArmor "
        "restriction; or start the worker as root");
  }
  const pid_t self = ::getpid();
  if (!WriteProc(self, "uid_map", MapLine(0, uid)) ||
      !WriteProc(self, "setgroups", "deny") ||
      !WriteProc(self, "gid_map", MapLine(0, gid))) {
    return SystemError("map the user into a user namespace", errno);
  }
  Identity identity;
  identity.rootless_ = true;
  return identity;
}

std::uint32_t Identity::Take() {
  if (rootless_) return 0;
  for (std::uint32_t i = 0; i < kUidsPerLauncher; ++i) {
    const std::uint32_t uid = first_uid_ + next_++ % kUidsPerLauncher;
    if (taken_.insert(uid).second) return uid;
  }
  return 0;
}

void Identity::Release(std::uint32_t uid) { taken_.erase(uid); }

int Identity::IdMap(std::uint32_t uid) {
  if (rootless_) return -1;
  if (const auto it = id_maps_.find(uid); it != id_maps_.end()) {
    return it->second.get();
  }
  UniqueFd pidfd;
  const pid_t pid = CloneChild(CLONE_NEWUSER, -1, pidfd);
  if (pid < 0) return -1;
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (true) ::pause();
  }
  UniqueFd map;
  if (WriteProc(pid, "uid_map", MapLine(worker_uid_, uid)) &&
      WriteProc(pid, "gid_map", MapLine(worker_gid_, uid))) {
    const std::string path = "/proc/" + std::to_string(pid) + "/ns/user";
    map.Reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  }
  const int saved = errno;
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  errno = saved;
  if (!map) return -1;
  return id_maps_.emplace(uid, std::move(map)).first->second.get();
}

bool Identity::MapCell(pid_t pid, std::uint32_t uid) const {
  const std::string line = MapLine(kCellUid, uid);
  if (rootless_ && !WriteProc(pid, "setgroups", "deny")) return false;
  return WriteProc(pid, "uid_map", line) && WriteProc(pid, "gid_map", line);
}

}  // namespace assay::sandbox
