#include "sandbox/egress/dialler_server.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>

#include "sandbox/cell/message_socket.h"
#include "sandbox/egress/address_range.h"
#include "sandbox/egress/dialler.h"

namespace assay::sandbox {
namespace {

using Clock = std::chrono::steady_clock;

// Resolving blocks a thread each; more calls wait.
constexpr int kThreads = 32;

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

void Say(DialReply& reply, DialStatus status, const std::string& reason) {
  reply.status = status;
  std::strncpy(reply.reason, reason.c_str(), sizeof(reply.reason) - 1);
}
void SayAddress(DialReply& reply, const std::string& address) {
  std::strncpy(reply.address, address.c_str(), sizeof(reply.address) - 1);
}

// Connected, or errno.
UniqueFd Connect(const addrinfo& address, Clock::time_point deadline) {
  UniqueFd fd(::socket(address.ai_family,
                       SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fd;
  const int one = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  if (::connect(fd.get(), address.ai_addr, address.ai_addrlen) == 0) return fd;
  if (errno != EINPROGRESS) return UniqueFd();
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - Clock::now());
  pollfd done = {fd.get(), POLLOUT, 0};
  if (::poll(&done, 1, static_cast<int>(std::max<long>(0, left.count()))) !=
      1) {
    errno = ETIMEDOUT;
    return UniqueFd();
  }
  int error = 0;
  socklen_t size = sizeof(error);
  ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error == 0) return fd;
  errno = error;
  return UniqueFd();
}

Addresses Resolve(const Destination& destination, DialReply& reply) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int failed =
      ::getaddrinfo(destination.host.c_str(),
                    std::to_string(destination.port).c_str(), &hints, &list);
  if (failed != 0) {
    Say(reply, DialStatus::kUnknownHost, ::gai_strerror(failed));
  }
  return Addresses(list);
}

UniqueFd Dial(const Destination& destination, DialReply& reply) {
  const auto end = Clock::now() + kDialLimit;
  const Addresses addresses = Resolve(destination, reply);
  for (const addrinfo* one = addresses.get(); one != nullptr;
       one = one->ai_next) {
    const std::string text = AddressText(one->ai_addr);
    const auto range = RefusedRange(one->ai_addr);
    if (!range.empty() && !destination.private_addresses) {
      // What was tried and failed says more.
      if (reply.reason[0] != '\0') continue;
      SayAddress(reply, text);
      Say(reply, DialStatus::kRefusedAddress,
          "is the " + std::string(range) + " address " + text);
      continue;
    }
    SayAddress(reply, text);
    if (Clock::now() >= end) {
      Say(reply, DialStatus::kTimedOut, "did not answer in time");
      break;
    }
    UniqueFd fd = Connect(*one, std::min(end, Clock::now() + kConnectLimit));
    if (fd) {
      reply.reason[0] = '\0';
      reply.status = DialStatus::kConnected;
      return fd;
    }
    const bool late = errno == ETIMEDOUT;
    Say(reply, late ? DialStatus::kTimedOut : DialStatus::kUnreachable,
        late ? "did not answer in time" : ::strerrordesc_np(errno));
  }
  return UniqueFd();
}

}  // namespace

void ServeDialler(UniqueFd socket, std::vector<Destination> destinations) {
  std::counting_semaphore<kThreads> free(kThreads);
  while (true) {
    DialCall call;
    std::vector<UniqueFd> none;
    if (ReceiveRecord(socket.get(), &call, sizeof(call), none, 0) !=
        ReceiveResult::kMessage) {
      break;
    }
    if (call.destination >= destinations.size()) break;
    free.acquire();
    std::thread([&, call] {
      DialReply reply = {.id = call.id};
      const UniqueFd connection = Dial(destinations[call.destination], reply);
      const int fds[] = {connection.get()};
      const auto attached =
          connection ? std::span<const int>(fds) : std::span<const int>();
      SendRecord(socket.get(), &reply, sizeof(reply), attached);
      free.release();
    }).detach();
  }
  // What the threads use stands until the last of them is through.
  for (int i = 0; i < kThreads; ++i) free.acquire();
}

}  // namespace assay::sandbox
