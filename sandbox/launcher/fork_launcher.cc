#include "sandbox/launcher/fork_launcher.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include "sandbox/cell/message_socket.h"
#include "sandbox/cell/protocol.h"
#include "sandbox/launcher/host.h"
#include "sandbox/launcher/server.h"

namespace assay::sandbox {
namespace {

// Answers the worker's first call with why there will be no second one.
int Decline(const UniqueFd& control, const Error& error) {
  Call call;
  std::vector<UniqueFd> none;
  if (ReceiveRecord(control.get(), &call, sizeof(call), none, 0) !=
      ReceiveResult::kMessage) {
    return 1;
  }
  Reply reply = {.type = call.type, .error_number = EINVAL};
  std::strncpy(reply.detail, error.message.c_str(), sizeof(reply.detail) - 1);
  SendRecord(control.get(), &reply, sizeof(reply));
  return 1;
}

}  // namespace

int ServeLauncher(UniqueFd control, const CgroupTree::Use& use) {
  ::signal(SIGPIPE, SIG_IGN);
  ucred worker = {};
  socklen_t size = sizeof(worker);
  if (::getsockopt(control.get(), SOL_SOCKET, SO_PEERCRED, &worker, &size) !=
      0) {
    std::fputs(
        "assay-launcher: descriptor 3 is no socket. assay-runner starts this "
        "program; to run one command in a cell use assay-sandbox.\n",
        stderr);
    return 2;
  }
  auto host = Host::Take(worker.uid, worker.gid, use);
  if (!host) return Decline(control, host.error());
  if (auto ready = host->staging.Prepare(); !ready) {
    return Decline(control, ready.error());
  }
  Server(*host, std::move(control)).Run();
  return 0;
}

Expected<Launcher> ForkLauncher(const CgroupTree::Use& use) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
    return SystemError("create the control socket", errno);
  }
  UniqueFd ours(pair[0]);
  UniqueFd theirs(pair[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return SystemError("fork the launcher", errno);
  if (pid == 0) {
    ours.Reset();
    // Ctrl-C is for the parent, which then closes the socket.
    ::setpgid(0, 0);
    ::_exit(ServeLauncher(std::move(theirs), use));
  }
  theirs.Reset();
  return Launcher::Adopt(std::move(ours), pid);
}

}  // namespace assay::sandbox
