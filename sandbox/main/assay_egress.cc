// assay-egress: makes connections to the destinations that it was started with,
// for a proxy that may not make any (sandbox/egress/dialler.h).
//
//   assay-egress HOST:PORT[/private]...        descriptor 3: the proxy's socket
//
// It reads positions in that list, never bytes of a candidate.

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <vector>

#include "sandbox/egress/dialler_server.h"

namespace {

using assay::sandbox::Destination;

constexpr unsigned kNobody = 65'534;
constexpr int kSocket = 3;

assay::Status DropPrivileges() {
  if (::geteuid() == 0 && (::setgroups(0, nullptr) != 0 ||
                           ::setresgid(kNobody, kNobody, kNobody) != 0 ||
                           ::setresuid(kNobody, kNobody, kNobody) != 0)) {
    return assay::SystemError("become an ordinary user", errno);
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return assay::SystemError("prctl PR_SET_NO_NEW_PRIVS", errno);
  }
  const rlimit none = {0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::setrlimit(RLIMIT_FSIZE, &none);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  if (argc < 2 || ::fcntl(kSocket, F_SETFD, FD_CLOEXEC) != 0) {
    std::fputs(
        "assay-egress: expected HOST:PORT... and a socket as descriptor 3; "
        "use assay-sandbox run --net egress=HOST:PORT\n",
        stderr);
    return 2;
  }
  std::vector<Destination> destinations;
  for (int i = 1; i < argc; ++i) {
    auto destination = assay::sandbox::ParseDestination(argv[i]);
    if (!destination) {
      std::fprintf(stderr, "assay-egress: %s\n",
                   destination.error().message.c_str());
      return 2;
    }
    destinations.push_back(*std::move(destination));
  }
  if (const auto dropped = DropPrivileges(); !dropped) {
    std::fprintf(stderr, "assay-egress: %s\n", dropped.error().message.c_str());
    return 2;
  }
  assay::sandbox::ServeDialler(assay::sandbox::UniqueFd(kSocket),
                               std::move(destinations));
  return 0;
}
