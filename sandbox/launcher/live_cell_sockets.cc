// The ways into a cell: sockets that are made inside.

#include "sandbox/launcher/live_cell.h"

#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>

#include "sandbox/launcher/unix_paths.h"

namespace assay::sandbox {

UniqueFd LiveCell::OpenSocket(int family, int type) const {
  const bool internet = (family == AF_INET || family == AF_INET6) &&
                        (type == SOCK_STREAM || type == SOCK_DGRAM);
  if (!internet && (family != AF_UNIX || type != SOCK_STREAM)) {
    errno = EINVAL;
    return UniqueFd();
  }
  if (::setns(namespaces_.network(), CLONE_NEWNET) != 0) return UniqueFd();
  UniqueFd socket(::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int saved = errno;
  // Going on in a candidate's network would be worse than ending.
  if (::setns(host_.own_network.get(), CLONE_NEWNET) != 0) ::abort();
  errno = saved;
  return socket;
}

UniqueFd LiveCell::Listen(int family, std::uint16_t port) const {
  UniqueFd socket = OpenSocket(family, SOCK_STREAM);
  if (!socket) return socket;
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_in6 v6 = {};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  v6.sin6_addr = IN6ADDR_LOOPBACK_INIT;
  const bool six = family == AF_INET6;
  const auto* address = six ? reinterpret_cast<const sockaddr*>(&v6)
                            : reinterpret_cast<const sockaddr*>(&v4);
  constexpr int kBacklog = 1024;
  if (::bind(socket.get(), address, six ? sizeof(v6) : sizeof(v4)) != 0 ||
      ::listen(socket.get(), kBacklog) != 0) {
    return UniqueFd();
  }
  return socket;
}

UniqueFd LiveCell::OpenUnix(const std::string& path, bool listen) const {
  UniqueFd socket = OpenSocket(AF_UNIX, SOCK_STREAM);
  if (!socket) return socket;
  const auto open = listen ? ListenInCell : ConnectInCell;
  if (!open(root_.get(), path, socket.get())) return UniqueFd();
  return socket;
}

}  // namespace assay::sandbox
