#include "tests/bench/wires/relays.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>
#include <vector>

#include "sandbox/egress/dialler_process.h"
#include "sandbox/egress/proxy.h"

namespace assay::sandbox {
namespace {

constexpr std::size_t kChunk = 256 << 10;

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void NoDelay(int fd) {
  const int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

void Serve(UniqueFd connection) {
  NoDelay(connection.get());
  std::vector<char> buffer(kChunk, 'x');
  char what = 0;
  if (!ReceiveAll(connection.get(), &what, 1)) return;
  if (what == 'd') {
    std::uint64_t left = 0;
    if (!ReceiveAll(connection.get(), reinterpret_cast<char*>(&left), 8)) {
      return;
    }
    while (left > 0) {
      const auto size = std::min<std::uint64_t>(left, buffer.size());
      if (!SendAll(connection.get(), buffer.data(), size)) return;
      left -= size;
    }
  }
  while (true) {
    const ssize_t n = ::recv(connection.get(), buffer.data(), buffer.size(), 0);
    if (n <= 0) return;
    if (!SendAll(connection.get(), buffer.data(),
                 static_cast<std::size_t>(n))) {
      return;
    }
  }
}

template <class Run>
pid_t Fork(Run run) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  run();
  ::_exit(0);
}

}  // namespace

std::pair<UniqueFd, std::uint16_t> ListenAnywhere() {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd.get(), generic, size) != 0 || ::listen(fd.get(), 128) != 0) {
    std::perror("listen");
    std::exit(1);
  }
  ::getsockname(fd.get(), generic, &size);
  return {std::move(fd), ntohs(address.sin_port)};
}

UniqueFd ConnectTo(std::uint16_t port) {
  const sockaddr_in address = Loopback(port);
  // haproxy may take a moment to listen.
  for (int i = 0; i < 500; ++i) {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address),
                  sizeof(address)) == 0) {
      NoDelay(fd.get());
      return fd;
    }
    ::usleep(10'000);
  }
  std::fprintf(stderr, "nothing listens on port %d\n", port);
  std::exit(1);
}

bool SendAll(int fd, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t n = ::send(fd, bytes, size, MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

bool ReceiveAll(int fd, char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t n = ::recv(fd, bytes, size, 0);
    if (n <= 0) return false;
    bytes += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

Child::~Child() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

pid_t StartServer(UniqueFd listener) {
  return Fork([&] {
    while (true) {
      UniqueFd connection(::accept(listener.get(), nullptr, nullptr));
      if (!connection) return;
      std::thread(Serve, std::move(connection)).detach();
    }
  });
}

pid_t StartEgress(UniqueFd listener, std::uint16_t server,
                  const std::string& program) {
  return Fork([&] {
    const std::vector<Destination> list = {
        {"127.0.0.1", server, AllowPrivateAddresses{}}};
    auto process = DiallerProcess::Spawn(program, list);
    if (!process) return;
    ::fcntl(listener.get(), F_SETFL, O_NONBLOCK);
    constexpr std::int64_t kNoLimit = INT64_MAX / 2;
    auto proxy = EgressProxy::Make(
        std::move(listener), Dialler(process->TakeSocket()), list,
        {.connection_bytes = kNoLimit, .total_bytes = kNoLimit},
        [](const EgressRecord&) {});
    while (proxy) {
      pollfd ready = {proxy->fd(), POLLIN, 0};
      ::poll(&ready, 1, -1);
      proxy->Step();
    }
  });
}

pid_t StartHaproxy(std::uint16_t port, std::uint16_t server,
                   const std::string& configuration) {
  // One thread, as ours has; the rest as it comes.
  std::ofstream(configuration)
      << "global\n  nbthread 1\n"
      << "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 60s\n"
      << "  timeout server 60s\n"
      << "frontend in\n  bind 127.0.0.1:" << port << "\n"
      << "  default_backend out\n"
      << "backend out\n  server one 127.0.0.1:" << server << "\n";
  return Fork([&] {
    ::execlp("haproxy", "haproxy", "-db", "-q", "-f", configuration.c_str(),
             nullptr);
    std::perror("haproxy");
  });
}

}  // namespace assay::sandbox
