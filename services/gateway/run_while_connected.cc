#include "services/gateway/run_while_connected.h"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "services/gateway/one_shot.h"
#include "services/gateway/spawn.h"

namespace assay::gateway {
namespace {

namespace asio = boost::asio;

// One of the coroutines that end each other.
struct Runner {
  asio::cancellation_signal cancel;
  OneShot<bool> ended;

  void Start(asio::any_io_executor strand, const char* what,
             asio::awaitable<void> work) {
    Spawn(std::move(strand), what, std::move(work), cancel.slot(),
          [this] { ended.Set(true); });
  }
  void Cancel() { cancel.emit(asio::cancellation_type::terminal); }
};

struct Race {
  Runner work, client, timer;
  WorkEnd end = WorkEnd::kFinished;

  void Stop(WorkEnd why) {
    end = why;
    work.Cancel();
  }
};

asio::awaitable<void> WatchClient(HttpExchange& exchange, Race& race) {
  static_cast<void>(co_await exchange.WaitForClose());
  race.Stop(WorkEnd::kClientGone);
}

asio::awaitable<void> EndAfter(std::chrono::milliseconds limit, Race& race) {
  asio::steady_timer timer(co_await asio::this_coro::executor, limit);
  co_await timer.async_wait(asio::use_awaitable);
  race.Stop(WorkEnd::kTimedOut);
}

}  // namespace

asio::awaitable<WorkEnd> RunWhileConnected(
    asio::any_io_executor strand, HttpExchange& exchange,
    std::optional<std::chrono::milliseconds> limit,
    asio::awaitable<void> work) {
  Race race;
  race.work.Start(strand, "work for a client", std::move(work));
  race.client.Start(strand, "client's connection", WatchClient(exchange, race));
  if (limit) race.timer.Start(strand, "time limit", EndAfter(*limit, race));
  co_await race.work.ended.Take();
  // The others stop here, also when they were what ended the work.
  const WorkEnd end = race.end;
  race.client.Cancel();
  race.timer.Cancel();
  co_await race.client.ended.Take();
  if (limit) co_await race.timer.ended.Take();
  co_return end;
}

}  // namespace assay::gateway
