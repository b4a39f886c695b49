#include "runner/steps/load_generator.h"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cmath>
#include <deque>
#include <memory>
#include <random>
#include <utility>

#include "runner/wires/dial.h"
#include "runner/wires/http1_reader.h"
#include "runner/wires/spawn.h"

namespace assay::steps {

namespace asio = boost::asio;
using asio::ip::tcp;
using Clock = LoadPlan::Clock;
using Reader = wires::Http1Reader;
using std::chrono::duration_cast;
using std::chrono::microseconds;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds kDialTimeout{1000};
constexpr std::chrono::milliseconds kTick{5};
constexpr std::size_t kBuffer = 16 << 10;

struct Connection;

// One generation under way. Kept alive by its connections' handlers.
struct Load : std::enable_shared_from_this<Load> {
  Load(const LoadPlan& plan, wires::Network& network, std::uint16_t port,
       asio::any_io_executor executor)
      : plan(plan),
        network(network),
        port(port),
        executor(executor),
        finished(executor, asio::steady_timer::time_point::max()) {}

  Clock::time_point DueOf(std::size_t request) const {
    return begin + plan.due[request];
  }
  bool Counts(std::size_t request) const {
    return plan.due[request] >= plan.warmup;
  }
  // A request is over: `error` names its kind, if it failed.
  void Record(std::size_t request, Clock::time_point sent,
              Clock::time_point now, int status, const char* error);
  void Free(const std::shared_ptr<Connection>& connection);
  void Dispatch(Clock::time_point now);
  void Stop();

  const LoadPlan& plan;
  wires::Network& network;
  const std::uint16_t port;
  asio::any_io_executor executor;
  Clock::time_point begin;
  std::vector<std::shared_ptr<Connection>> all;
  std::vector<std::shared_ptr<Connection>> idle;
  // The next that is not due yet, and those due for which no connection is
  // free.
  std::size_t next = 0;
  std::deque<std::size_t> waiting;
  std::size_t over = 0;
  bool stopped = false;
  asio::steady_timer finished;
  LoadResult result;
};

struct Connection : std::enable_shared_from_this<Connection> {
  Connection(std::shared_ptr<Load> load, tcp::socket socket)
      : load(std::move(load)), socket(std::move(socket)) {}

  void Send(std::size_t next) {
    request = next;
    busy = true;
    reader = Reader();
    status = 0;
    sent = Clock::now();
    const std::string& message =
        load->plan.messages
            [load->plan.message_of[next % load->plan.message_of.size()]];
    boost::system::error_code error;
    const std::size_t size = socket.write_some(asio::buffer(message), error);
    if (error && error != asio::error::would_block) return Lost();
    if (size < message.size()) {
      asio::async_write(
          socket, asio::buffer(message) + size,
          [self = shared_from_this()](const auto& failed, std::size_t) {
            if (failed && self->busy) self->Lost();
          });
    }
    if (!std::exchange(reading, true)) Read();
  }

  void Read() {
    socket.async_read_some(
        asio::buffer(buffer),
        [self = shared_from_this()](const auto& error, std::size_t size) {
          self->reading = false;
          if (error) return self->Lost();
          self->Take({self->buffer.data(), size});
        });
  }

  void Take(std::string_view bytes) {
    std::string_view piece;
    while (busy) {
      switch (reader.Next(bytes, piece)) {
        case Reader::Result::kNeedMore:
          if (!std::exchange(reading, true)) Read();
          return;
        case Reader::Result::kNotTheProtocol:
          return Lost("malformed");
        case Reader::Result::kHead:
          Head();
          break;
        case Reader::Result::kBody:
          break;
        case Reader::Result::kEnd:
          if (status >= 200) Done();
      }
    }
    // The next request may have been sent from Done already.
    if (!reading && socket.is_open()) {
      reading = true;
      Read();
    }
  }

  void Head() {
    const wires::Http1Head& head = reader.head();
    status = head.status();
    const auto framing = wires::FramingOf(head.headers);
    const std::size_t message =
        load->plan.message_of[request % load->plan.message_of.size()];
    if (status < 200 || status == 204 || status == 304 ||
        load->plan.is_head[message]) {
      reader.SetBody(Reader::Body::kNone);
    } else if (framing.unsaid) {
      reader.SetBody(Reader::Body::kUntilClose);
    } else {
      reader.SetBody(framing.body, framing.length);
    }
    closes = wires::FindHeader(head.headers, "connection") == "close" ||
             head.first == "HTTP/1.0";
  }

  void Done() {
    busy = false;
    load->Record(request, sent, Clock::now(), status,
                 status >= 500 ? "5xx" : nullptr);
    if (closes) return Reopen();
    load->Free(shared_from_this());
  }

  void Lost(const char* error = "connection") {
    if (busy) {
      busy = false;
      // An answer that ends with its connection is one.
      const bool whole = status >= 200 && reader.Close();
      load->Record(request, sent, Clock::now(), whole ? status : 0,
                   !whole          ? error
                   : status >= 500 ? "5xx"
                                   : nullptr);
    }
    Reopen();
  }

  void Reopen() {
    boost::system::error_code ignored;
    socket.close(ignored);
    if (load->stopped || std::exchange(reopening, true)) return;
    wires::Spawn(load->executor, Open(shared_from_this()));
  }

  static asio::awaitable<void> Open(std::shared_ptr<Connection> self) {
    while (!self->load->stopped) {
      auto dialled = co_await wires::Dial(self->load->network, self->load->port,
                                          kDialTimeout);
      if (dialled) {
        self->socket = *std::move(dialled);
        self->socket.non_blocking(true);
        self->reading = false;
        self->reopening = false;
        self->closes = false;
        self->load->Free(self);
        co_return;
      }
      asio::steady_timer timer(self->load->executor, kTick);
      co_await timer.async_wait(kTuple);
    }
  }

  std::shared_ptr<Load> load;
  tcp::socket socket;
  std::array<char, kBuffer> buffer;
  Reader reader;
  std::size_t request = 0;
  Clock::time_point sent;
  int status = 0;
  bool busy = false;
  bool reading = false;
  bool reopening = false;
  bool closes = false;
};

void Load::Record(std::size_t request, Clock::time_point sent,
                  Clock::time_point now, int status, const char* error) {
  ++over;
  if (over == plan.due.size()) finished.cancel();
  if (!Counts(request)) return;
  const auto latency = duration_cast<microseconds>(now - DueOf(request));
  result.latency.Add(latency);
  if (status != 0) {
    ++result.answered;
    ++result.statuses[status];
    result.service_time.Add(duration_cast<microseconds>(now - sent));
  }
  if (error != nullptr) ++result.errors[error];
  auto& slowest = result.slowest;
  const auto slower = [&](const LoadResult::Exemplar& a,
                          const LoadResult::Exemplar& b) {
    return a.end - a.due > b.end - b.due;
  };
  if (slowest.size() == LoadResult::kSlowest &&
      now - DueOf(request) <= slowest.back().end - slowest.back().due) {
    return;
  }
  const LoadResult::Exemplar exemplar{request, DueOf(request), sent, now,
                                      status};
  slowest.insert(std::ranges::upper_bound(slowest, exemplar, slower), exemplar);
  if (slowest.size() > LoadResult::kSlowest) slowest.pop_back();
}

void Load::Free(const std::shared_ptr<Connection>& connection) {
  if (stopped) return;
  if (waiting.empty()) {
    idle.push_back(connection);
    return;
  }
  const std::size_t request = waiting.front();
  waiting.pop_front();
  connection->Send(request);
}

void Load::Dispatch(Clock::time_point now) {
  while (next < plan.due.size() && DueOf(next) <= now) {
    const std::size_t request = next++;
    if (idle.empty()) {
      waiting.push_back(request);
      continue;
    }
    const auto connection = std::move(idle.back());
    idle.pop_back();
    if (Counts(request)) {
      result.lateness.Add(
          duration_cast<microseconds>(Clock::now() - DueOf(request)));
    }
    connection->Send(request);
  }
}

void Load::Stop() {
  const auto now = Clock::now();
  stopped = true;
  for (const auto& connection : all) {
    if (std::exchange(connection->busy, false)) {
      Record(connection->request, connection->sent, now, 0, "no answer");
    }
    boost::system::error_code ignored;
    connection->socket.close(ignored);
  }
  for (const std::size_t request : waiting) {
    if (Counts(request)) ++result.unsent;
    Record(request, now, now, 0, "unsent");
  }
  result.took = now - begin - plan.warmup;
  // Connections hold the load, and the load them.
  all.clear();
  idle.clear();
}

// Measures how late the loop comes round.
asio::awaitable<void> Tick(std::shared_ptr<Load> load) {
  asio::steady_timer timer(load->executor);
  while (!load->stopped) {
    const auto due = Clock::now() + kTick;
    timer.expires_at(due);
    co_await timer.async_wait(kTuple);
    if (load->stopped) co_return;
    load->result.host_stall =
        std::max(load->result.host_stall,
                 duration_cast<microseconds>(Clock::now() - due));
  }
}

}  // namespace

std::int64_t LoadResult::failed() const {
  std::int64_t sum = 0;
  for (const auto& [kind, number] : errors) sum += number;
  return sum;
}

std::vector<Clock::duration> PlanArrivals(double per_second,
                                          Clock::duration duration,
                                          bool poisson, std::uint64_t seed) {
  std::vector<Clock::duration> due;
  const double end = std::chrono::duration<double>(duration).count();
  std::mt19937_64 random(seed);
  std::exponential_distribution<double> gap(per_second);
  const auto at = [](double seconds) {
    return duration_cast<Clock::duration>(
        std::chrono::duration<double>(seconds));
  };
  if (poisson) {
    for (double t = gap(random); t < end; t += gap(random)) {
      due.push_back(at(t));
    }
    return due;
  }
  const auto count = static_cast<std::size_t>(std::floor(end * per_second));
  for (std::size_t i = 0; i < count; ++i) {
    due.push_back(at(static_cast<double>(i) / per_second));
  }
  return due;
}

asio::awaitable<LoadResult> GenerateLoad(const LoadPlan& plan,
                                         wires::Network& network,
                                         std::uint16_t port) {
  const auto executor = co_await asio::this_coro::executor;
  auto load = std::make_shared<Load>(plan, network, port, executor);
  for (int i = 0; i < plan.connections; ++i) {
    auto socket = co_await wires::Dial(network, port, kDialTimeout);
    if (!socket) {
      if (i == 0) load->result.problem = socket.error().message;
      break;
    }
    socket->non_blocking(true);
    load->all.push_back(std::make_shared<Connection>(load, *std::move(socket)));
  }
  load->idle = load->all;
  for (std::size_t i = 0; i < plan.due.size(); ++i) {
    load->result.planned += load->Counts(i) ? 1 : 0;
  }
  if (load->all.empty()) co_return load->result;

  load->begin = Clock::now();
  wires::Spawn(executor, Tick(load));
  asio::steady_timer timer(executor);
  while (load->next < plan.due.size()) {
    timer.expires_at(load->DueOf(load->next));
    co_await timer.async_wait(kTuple);
    load->Dispatch(Clock::now());
  }
  if (load->over < plan.due.size()) {
    load->finished.expires_after(plan.grace);
    co_await load->finished.async_wait(kTuple);
  }
  load->Stop();
  co_return std::move(load->result);
}

}  // namespace assay::steps
