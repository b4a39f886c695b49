#include "runner/wires/relay_connection.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <utility>
#include <vector>

#include "runner/wires/spawn.h"

namespace assay::wires {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::microseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t kSmall = 4 << 10;
constexpr std::size_t kLarge = 64 << 10;
constexpr std::size_t kHeld = 256 << 10;
// A slowed wire passes so many pieces a second.
constexpr double kPieces = 50;
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

}  // namespace

RelayConnection::RelayConnection(Socket near,
                                 std::unique_ptr<RelayObserver> observer,
                                 std::shared_ptr<FaultBench> bench)
    : near_(std::move(near)),
      far_(near_.get_executor()),
      observer_(std::move(observer)),
      bench_(std::move(bench)),
      request_(near_, far_),
      response_(far_, near_) {}

void RelayConnection::Open(Socket far, Done done) {
  far_ = std::move(far);
  done_ = std::move(done);
  Spawn(near_.get_executor(), Pump(shared_from_this(), true));
  Spawn(near_.get_executor(), Pump(shared_from_this(), false));
}

void RelayConnection::Reset() {
  reset_ = true;
  boost::system::error_code ignored;
  for (Socket* socket : {&near_, &far_}) {
    socket->set_option(asio::socket_base::linger(true, 0), ignored);
    socket->close(ignored);
  }
  for (Lane* lane : {&request_, &response_}) {
    lane->held.clear();
    lane->clock.cancel();
    lane->room.cancel();
  }
}

void RelayConnection::Release() {
  for (Lane* lane : {&request_, &response_}) {
    for (Held& held : lane->held) held.due = {};
    lane->last_due = {};
    lane->clock.cancel();
  }
}

void RelayConnection::EndObservation() {
  if (const auto ending = std::move(observer_)) ending->OnClose();
}

asio::awaitable<void> RelayConnection::Pump(Self self, bool from_client) {
  Lane& lane = from_client ? self->request_ : self->response_;
  const WireFaults& faults = self->bench_->faults;
  const auto& fault = from_client ? faults.request : faults.response;
  std::vector<char> buffer(kSmall);
  while (true) {
    const auto [error, size] =
        co_await lane.from.async_read_some(asio::buffer(buffer), kTuple);
    if (error == asio::error::connection_reset) self->reset_ = true;
    if (error) break;
    lane.total += static_cast<std::int64_t>(size);
    const std::int64_t most = self->bench_->limits.bytes;
    if (most > 0 && lane.total > most) {
      self->reset_ = true;
      break;
    }
    RelayObserver::Passage passage{{buffer.data(), size}, {}};
    if (self->observer_ && from_client) {
      passage = self->observer_->OnClient(passage.on);
    } else if (self->observer_) {
      self->observer_->OnServer(passage.on);
    }
    if (!passage.back.empty() &&
        !co_await self->Forward(self->response_, {}, passage.back)) {
      break;
    }
    if (!passage.on.empty() &&
        !co_await self->Forward(lane, fault, passage.on)) {
      break;
    }
    // Much passes: in larger pieces. Little: without holding the memory.
    if (size == buffer.size() && size < kLarge) {
      buffer = std::vector<char>(kLarge);
    } else if (size < kSmall / 2 && buffer.size() > kSmall) {
      buffer = std::vector<char>(kSmall);
    }
  }
  while (!self->reset_ && (!lane.held.empty() || lane.writing)) {
    co_await lane.room.async_wait(kTuple);
  }
  // A half close goes on as one; a reset takes both directions down.
  boost::system::error_code ignored;
  if (lane.to.is_open()) lane.to.shutdown(tcp::socket::shutdown_send, ignored);
  if (self->reset_) self->Reset();
  if (--self->open_directions_ == 0) self->done_();
}

asio::awaitable<bool> RelayConnection::Write(Lane& lane,
                                             std::string_view bytes) {
  lane.writing = true;
  const auto [failed, written] =
      co_await asio::async_write(lane.to, asio::buffer(bytes), kTuple);
  lane.writing = false;
  if (failed) reset_ = true;
  co_return !failed;
}

asio::awaitable<bool> RelayConnection::Forward(
    Lane& lane, const WireFaults::Direction& fault, std::string_view bytes) {
  bytes = Cut(lane, fault, bytes);
  if (!fault.shapes() && lane.held.empty() && !lane.writing) {
    if (!co_await Write(lane, bytes)) co_return false;
    if (lane.cut) Reset();
    StartDrain(lane);
    co_return !reset_;
  }
  while (lane.held_bytes >= kHeld && !reset_) {
    co_await lane.room.async_wait(kTuple);
  }
  if (reset_) co_return false;
  Hold(lane, fault, bytes);
  StartDrain(lane);
  co_return true;
}

// Whoever is writing starts it when the write is done.
void RelayConnection::StartDrain(Lane& lane) {
  if (lane.held.empty() || lane.draining || lane.writing) return;
  lane.draining = true;
  Spawn(near_.get_executor(), Drain(shared_from_this(), lane));
}

std::string_view RelayConnection::Cut(Lane& lane,
                                      const WireFaults::Direction& fault,
                                      std::string_view bytes) {
  if (std::exchange(lane.generation, bench_->generation) !=
      bench_->generation) {
    lane.passed = 0;
  }
  if (fault.cut_after) {
    const auto left = static_cast<std::size_t>(
        std::max<std::int64_t>(0, *fault.cut_after - lane.passed));
    lane.cut = bytes.size() >= left;
    bytes = bytes.substr(0, left);
  }
  lane.passed += static_cast<std::int64_t>(bytes.size());
  return bytes;
}

void RelayConnection::Hold(Lane& lane, const WireFaults::Direction& fault,
                           std::string_view bytes) {
  microseconds delay = fault.latency;
  if (fault.jitter.count() > 0) {
    delay += microseconds(std::uniform_int_distribution<std::int64_t>(
        0, fault.jitter.count())(bench_->random));
  }
  lane.last_due = std::max(lane.last_due, steady_clock::now() + delay);
  const std::size_t most =
      fault.bandwidth > 0
          ? std::max<std::size_t>(
                1, static_cast<std::size_t>(fault.bandwidth / kPieces))
          : bytes.size();
  lane.held_bytes += bytes.size();
  do {
    const std::string_view piece = bytes.substr(0, most);
    bytes.remove_prefix(piece.size());
    if (fault.bandwidth > 0) {
      lane.last_due += std::chrono::duration_cast<steady_clock::duration>(
          std::chrono::duration<double>(static_cast<double>(piece.size()) /
                                        fault.bandwidth));
    }
    lane.held.push_back({lane.last_due, std::string(piece)});
  } while (!bytes.empty());
}

asio::awaitable<void> RelayConnection::Drain(Self self, Lane& lane) {
  while (!lane.held.empty()) {
    if (lane.held.front().due > steady_clock::now()) {
      lane.clock.expires_at(lane.held.front().due);
      co_await lane.clock.async_wait(kTuple);
      continue;
    }
    const Held held = std::move(lane.held.front());
    lane.held.pop_front();
    const bool written = co_await self->Write(lane, held.bytes);
    lane.held_bytes -= std::min(lane.held_bytes, held.bytes.size());
    lane.room.cancel();
    if (!written) break;
  }
  lane.draining = false;
  if (lane.cut || self->reset_) self->Reset();
  lane.room.cancel();
}

}  // namespace assay::wires
