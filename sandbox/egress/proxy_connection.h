#ifndef ASSAY_SANDBOX_EGRESS_PROXY_CONNECTION_H_
#define ASSAY_SANDBOX_EGRESS_PROXY_CONNECTION_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sandbox/egress/proxy.h"
#include "sandbox/egress/request_head.h"

namespace assay::sandbox {

// What is known of a socket that epoll reports changes of.
struct Readiness {
  bool readable = false;
  bool writable = false;
  // No more bytes will come than are there.
  bool ended = false;

  void Add(std::uint32_t epoll_events);
};

// One client of the proxy: reads its request, then relays, with back-pressure
// and half closes. Each call does what can be done without waiting.
//
//   head --request--> dialling --connected--> relaying --> over
//     \-- refused ------\--------------> answering --> over
class ProxyConnection {
 public:
  using Clock = std::chrono::steady_clock;

  // What connections share.
  struct Shared {
    const EgressLimits& limits;
    std::span<const Destination> destinations;
    // Bytes pass through here on their way.
    std::span<char> buffer;
    std::int64_t total_bytes = 0;
  };

  ProxyConnection(UniqueFd client, Shared& shared);

  Readiness& client_readiness() { return client_ready_; }
  Readiness& server_readiness() { return server_ready_; }
  int client() const { return client_.get(); }
  int server() const { return server_.get(); }

  // Goes on. True: there is more to do at once, but others shall get a turn.
  bool Advance();
  // The destination that is to be dialled, once.
  std::optional<std::uint32_t> TakeDial();
  void OnDialled(const DialReply& reply, UniqueFd connection);
  // Ends what has taken too long.
  void OnTime(Clock::time_point now);
  void Fail(const std::string& problem);

  bool dialling() const { return state_ == State::kDialling; }
  bool over() const { return state_ == State::kOver; }
  // Whether there is anything to tell.
  bool asked() const { return record_.status != 0; }
  const EgressRecord& record() const { return record_; }

 private:
  enum class State { kHead, kDialling, kRelaying, kAnswering, kOver };
  // Bytes in one direction.
  struct Flow {
    // Read, and not taken by the other side yet.
    std::string pending;
    bool ended = false;
    bool closed = false;
  };

  bool ReadHead();
  void OnRequest(ProxyRequest request);
  void Answer(int status, std::string_view problem);
  bool Relay();
  // False when the connection broke.
  bool Pump(Flow& flow, int from, Readiness& from_ready, int to,
            Readiness& to_ready, std::int64_t& counter, std::size_t& budget);
  bool Send(Flow& flow, std::string_view bytes, int to, Readiness& ready);
  bool WithinLimits(std::int64_t counter);
  bool FinishAnswer();
  void Reset();
  void End();

  Shared& shared_;
  UniqueFd client_;
  UniqueFd server_;
  Readiness client_ready_;
  Readiness server_ready_;
  State state_ = State::kHead;
  std::string head_;
  ProxyRequest request_;
  std::optional<std::uint32_t> dial_;
  Flow up_;
  Flow down_;
  EgressRecord record_;
  Clock::time_point begin_;
  // When the present state, or the last byte, was.
  Clock::time_point since_;
  std::int64_t seen_bytes_ = 0;
};

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_EGRESS_PROXY_CONNECTION_H_
