#ifndef ASSAY_RUNNER_WIRES_RELAY_CONNECTION_H_
#define ASSAY_RUNNER_WIRES_RELAY_CONNECTION_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "runner/wires/relay.h"

namespace assay::wires {

// The faults and limits of one wire as its connections see them.
struct FaultBench {
  WireFaults faults;
  RelayLimits limits;
  // Grows with each change, so that connections count `cut_after` anew.
  std::uint64_t generation = 0;
  std::mt19937_64 random;
};

// One relayed connection: two lanes between two sockets. Kept alive by its
// coroutines.
//
// Threads: confined to the run's thread.
class RelayConnection : public std::enable_shared_from_this<RelayConnection> {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  // Where a finished direction is told.
  using Done = std::function<void()>;

  RelayConnection(Socket near, std::unique_ptr<RelayObserver> observer,
                  std::shared_ptr<FaultBench> bench);

  // Passes bytes on between the two sides, until both directions have ended;
  // then `done` is called.
  void Open(Socket far, Done done);
  // RST rather than FIN: a lost peer, not a finished one.
  void Reset();
  // What faults hold back goes on at once.
  void Release();
  // Tells the observer, once.
  void EndObservation();
  bool near_is_open() const { return near_.is_open(); }
  std::chrono::steady_clock::time_point opened() const { return opened_; }

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Held {
    Time due;
    std::string bytes;
  };
  // One direction.
  struct Lane {
    Lane(Socket& from, Socket& to)
        : from(from),
          to(to),
          clock(from.get_executor()),
          room(from.get_executor(), Time::max()) {}
    Socket& from;
    Socket& to;
    std::deque<Held> held;
    std::size_t held_bytes = 0;
    Time last_due{};
    // Of the front of `held`.
    boost::asio::steady_timer clock;
    // Cancelled whenever `held` got shorter or a write ended.
    boost::asio::steady_timer room;
    bool writing = false;
    bool draining = false;
    // The fault's bytes have passed: reset once they are written.
    bool cut = false;
    std::int64_t passed = 0;
    std::uint64_t generation = 0;
    // All that came, for the limit.
    std::int64_t total = 0;
  };
  using Self = std::shared_ptr<RelayConnection>;

  static boost::asio::awaitable<void> Pump(Self self, bool from_client);
  static boost::asio::awaitable<void> Drain(Self self, Lane& lane);
  // False when the connection is lost.
  boost::asio::awaitable<bool> Forward(Lane& lane,
                                       const WireFaults::Direction& fault,
                                       std::string_view bytes);
  boost::asio::awaitable<bool> Write(Lane& lane, std::string_view bytes);
  std::string_view Cut(Lane& lane, const WireFaults::Direction& fault,
                       std::string_view bytes);
  void StartDrain(Lane& lane);
  void Hold(Lane& lane, const WireFaults::Direction& fault,
            std::string_view bytes);

  Socket near_;
  Socket far_;
  std::unique_ptr<RelayObserver> observer_;
  std::shared_ptr<FaultBench> bench_;
  Lane request_;
  Lane response_;
  Done done_;
  const Time opened_ = std::chrono::steady_clock::now();
  int open_directions_ = 2;
  bool reset_ = false;
};

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_RELAY_CONNECTION_H_
