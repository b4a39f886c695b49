#include "sandbox/egress/proxy.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "sandbox/egress/proxy_connection.h"

namespace assay::sandbox {
namespace {

// Bytes on their way: larger costs more cache, smaller more system calls.
constexpr std::size_t kBuffer = 256 << 10;
// Time limits are late by this much at most.
constexpr long kTickNanos = 250'000'000;

// What an event is about: one of these, or a connection's id and side.
constexpr std::uint64_t kListener = 0;
constexpr std::uint64_t kDialler = 1;
constexpr std::uint64_t kTimer = 2;
constexpr std::uint64_t kTurn = 3;
constexpr std::uint64_t kFirstConnection = 4;

std::uint64_t Tag(std::uint64_t connection, bool server) {
  return connection * 2 + (server ? 1 : 0);
}

}  // namespace

class EgressProxy::Engine {
 public:
  Engine(UniqueFd listener, Dialler dialler,
         std::vector<Destination> destinations, const EgressLimits& limits,
         OnEnd on_end)
      : listener_(std::move(listener)),
        dialler_(std::move(dialler)),
        destinations_(std::move(destinations)),
        limits_(limits),
        on_end_(std::move(on_end)),
        buffer_(kBuffer),
        shared_{limits_, destinations_, buffer_} {}
  ~Engine() {
    for (auto& [id, connection] : connections_) {
      connection.Fail("the proxy was shut down");
      if (connection.asked()) on_end_(connection.record());
    }
  }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  Status Start() {
    epoll_.Reset(::epoll_create1(EPOLL_CLOEXEC));
    timer_.Reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    turn_.Reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!epoll_ || !timer_ || !turn_ ||
        !Watch(listener_.get(), EPOLLIN, kListener) ||
        !Watch(dialler_.fd(), EPOLLIN, kDialler) ||
        !Watch(timer_.get(), EPOLLIN, kTimer) ||
        !Watch(turn_.get(), EPOLLIN, kTurn)) {
      return SystemError("start the egress proxy", errno);
    }
    return {};
  }

  int fd() const { return epoll_.get(); }
  std::size_t connections() const { return connections_.size(); }

  void Step() {
    std::array<epoll_event, 64> events;
    const int count = ::epoll_wait(epoll_.get(), events.data(),
                                   static_cast<int>(events.size()), 0);
    for (int i = 0; i < count; ++i) {
      Handle(events[static_cast<std::size_t>(i)]);
    }
  }

 private:
  using Connections = std::map<std::uint64_t, ProxyConnection>;

  bool Watch(int fd, std::uint32_t what, std::uint64_t tag) {
    epoll_event event = {.events = what, .data = {.u64 = tag}};
    return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
  }
  // Reported once per change, so that no interest has to be switched on and
  // off for every full buffer.
  bool WatchStream(int fd, std::uint64_t tag) {
    return Watch(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, tag);
  }

  void Handle(const epoll_event& event) {
    switch (event.data.u64) {
      case kListener:
        return Accept();
      case kDialler:
        return TakeAnswers();
      case kTimer:
        return OnTick();
      case kTurn:
        return GiveTurns();
      default:
        break;
    }
    const auto at = connections_.find(event.data.u64 / 2);
    if (at == connections_.end()) return;
    ProxyConnection& connection = at->second;
    Readiness& side = event.data.u64 % 2 == 1 ? connection.server_readiness()
                                              : connection.client_readiness();
    side.Add(event.events);
    Advance(at);
  }

  void Accept() {
    constexpr int kAtOnce = 16;
    for (int i = 0; i < kAtOnce; ++i) {
      UniqueFd client(::accept4(listener_.get(), nullptr, nullptr,
                                SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!client) return;
      const int one = 1;
      ::setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
      if (connections_.size() >= limits_.connections) {
        const linger none = {1, 0};
        ::setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &none, sizeof(none));
        continue;
      }
      if (connections_.empty()) SetTimer(kTickNanos);
      const std::uint64_t id = ++last_id_;
      const int fd = client.get();
      const auto at =
          connections_.try_emplace(id, std::move(client), shared_).first;
      if (!WatchStream(fd, Tag(id, false))) {
        connections_.erase(at);
      }
    }
  }

  void Advance(Connections::iterator at) {
    ProxyConnection& connection = at->second;
    const bool more = connection.Advance();
    if (const auto destination = connection.TakeDial()) {
      // Ids are 32 bits wide there; so many connections do not live at a time.
      const auto asked =
          dialler_.Ask(static_cast<std::uint32_t>(at->first), *destination);
      if (!asked) connection.Fail(asked.error().message);
    }
    if (connection.over()) return Finish(at);
    if (more && waiting_.insert(at->first).second && waiting_.size() == 1) {
      ::eventfd_write(turn_.get(), 1);
    }
  }

  void GiveTurns() {
    eventfd_t ignored = 0;
    ::eventfd_read(turn_.get(), &ignored);
    for (const std::uint64_t id : std::exchange(waiting_, {})) {
      const auto at = connections_.find(id);
      if (at != connections_.end()) Advance(at);
    }
  }

  void TakeAnswers() {
    while (true) {
      auto answer = dialler_.Receive();
      if (!answer) return LoseDialler(answer.error().message);
      if (!*answer) return;
      OnAnswer(**std::move(answer));
    }
  }
  void OnAnswer(Dialler::Answer answer) {
    const auto at = connections_.find(answer.reply.id);
    if (at == connections_.end()) return;
    ProxyConnection& connection = at->second;
    connection.OnDialled(answer.reply, std::move(answer.connection));
    if (connection.server() >= 0 &&
        !WatchStream(connection.server(), Tag(at->first, true))) {
      connection.Fail("the connection cannot be watched");
    }
    Advance(at);
  }
  // What waits for it fails now, and what comes later when it asks.
  void LoseDialler(const std::string& problem) {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, dialler_.fd(), nullptr);
    ForEach([&](ProxyConnection& connection) {
      if (connection.dialling()) connection.Fail(problem);
    });
  }

  void OnTick() {
    std::uint64_t ignored = 0;
    (void)!::read(timer_.get(), &ignored, sizeof(ignored));
    const auto now = ProxyConnection::Clock::now();
    ForEach([&](ProxyConnection& connection) { connection.OnTime(now); });
  }
  template <class Do>
  void ForEach(Do act) {
    for (auto at = connections_.begin(); at != connections_.end();) {
      const auto next = std::next(at);
      act(at->second);
      if (at->second.over()) Finish(at);
      at = next;
    }
  }

  void Finish(Connections::iterator at) {
    const bool asked = at->second.asked();
    const EgressRecord record = at->second.record();
    waiting_.erase(at->first);
    connections_.erase(at);
    if (connections_.empty()) SetTimer(0);
    if (asked) on_end_(record);
  }

  void SetTimer(long nanos) {
    const itimerspec time = {{0, nanos}, {0, nanos}};
    ::timerfd_settime(timer_.get(), 0, &time, nullptr);
  }

  UniqueFd listener_;
  Dialler dialler_;
  const std::vector<Destination> destinations_;
  const EgressLimits limits_;
  OnEnd on_end_;
  std::vector<char> buffer_;
  ProxyConnection::Shared shared_;
  UniqueFd epoll_;
  UniqueFd timer_;
  UniqueFd turn_;
  std::uint64_t last_id_ = kFirstConnection;
  Connections connections_;
  // Connections that stopped in the middle to let others go on.
  std::set<std::uint64_t> waiting_;
};

Expected<EgressProxy> EgressProxy::Make(UniqueFd listener, Dialler dialler,
                                        std::vector<Destination> destinations,
                                        const EgressLimits& limits,
                                        OnEnd on_end) {
  auto engine = std::make_unique<Engine>(
      std::move(listener), std::move(dialler), std::move(destinations), limits,
      std::move(on_end));
  ASSAY_RETURN_IF_ERROR(engine->Start());
  return EgressProxy(std::move(engine));
}

EgressProxy::EgressProxy(std::unique_ptr<Engine> engine)
    : engine_(std::move(engine)) {}
EgressProxy::EgressProxy(EgressProxy&&) noexcept = default;
EgressProxy& EgressProxy::operator=(EgressProxy&&) noexcept = default;
EgressProxy::~EgressProxy() = default;

int EgressProxy::fd() const { return engine_->fd(); }
void EgressProxy::Step() { engine_->Step(); }
std::size_t EgressProxy::connections() const { return engine_->connections(); }

}  // namespace assay::sandbox
