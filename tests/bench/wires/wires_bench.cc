// Rows of tests/bench/wires/run. One thread relays, one answers, one asks.

#include "tests/bench/wires/peers.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <vector>

#include "runner/steps/load_generator.h"
#include "runner/telemetry/correlation.h"
#include "runner/telemetry/redacting_sink.h"
#include "runner/telemetry/redactor.h"
#include "runner/telemetry/reports.h"
#include "runner/wires/dial.h"
#include "runner/wires/http_span.h"
#include "runner/wires/http_tap.h"
#include "runner/wires/postgres_messages.h"
#include "runner/wires/postgres_tap.h"
#include "runner/wires/sql_text.h"
#include "runner/wires/statement_span.h"
#include "tests/testing/postgres_server.h"

namespace assay::bench {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

double Micros(Clock::duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

void Row(const char* metric, const char* unit, double ours, const char* peer,
         double theirs, double most) {
  std::printf("%s\t%s\t%.1f\t%s\t%.1f\t%.2f\n", metric, unit, ours, peer,
              theirs, most);
  std::fflush(stdout);
}

// Takes the events of a run as its worker would, and throws them away.
struct Reader final : telemetry::EventSink {
  void Emit(assay::v1::RunEvent event) override {
    spans += event.spans().spans_size();
    bytes += static_cast<std::int64_t>(event.SerializeAsString().size());
  }
  std::atomic<std::int64_t> spans{0};
  std::int64_t bytes = 0;
};

// What a run does with what its taps tell: a span with all its attributes,
// copied for trace assertions, searched for secrets, and written out. A run
// keeps 20,000 spans; here the next run begins then, so that every one counted
// was really made.
struct Listener final : wires::PostgresListener, wires::HttpListener {
  Listener() : sink(redactor, reader) {
    redactor.Add("key", std::string(64, 'k'));
    redactor.Add("password", "a-password-of-20-let");
    Renew();
  }
  void Renew() {
    if (tracer != nullptr) tracer->Flush();
    tracer = std::make_unique<telemetry::Tracer>(sink, std::string(16, 't'));
    observed.clear();
    tracer->SetWatch([this](const assay::otlp::v1::Span& span) {
      observed.push_back(span);
    });
    correlation = std::make_unique<telemetry::Correlation>();
    correlation->SetBackground({tracer->trace_id(), std::string(8, 'b')});
  }
  // Spans that came out at the other end.
  std::int64_t told() const { return reader.spans; }

  std::uint64_t Mark() override { return correlation->Mark(); }
  void OnPostgres(int, const std::string& database,
                  const wires::PostgresEvent& event) override {
    const auto* statement = std::get_if<wires::Statement>(&event);
    if (statement == nullptr) return;
    wires::RecordStatement(*tracer, "db", database, *statement,
                           wires::ReadSql(statement->text), correlation->At(0));
    if (observed.size() >= kSpansOfRun) Renew();
  }
  void OnRequest(wires::HttpExchange& exchange) override {
    exchange.span = {tracer->trace_id(), telemetry::RandomBytes(8)};
  }
  void OnExchange(const wires::HttpExchange& exchange) override {
    wires::RecordExchange(*tracer, "service", exchange, correlation->At(0));
    if (observed.size() >= kSpansOfRun) Renew();
  }
  void OnHttpFellBack(int, const std::string& reason) override {
    std::fprintf(stderr, "fell back: %s\n", reason.c_str());
    std::exit(2);
  }

  static constexpr std::size_t kSpansOfRun = 16'000;
  telemetry::Redactor redactor;
  Reader reader;
  telemetry::RedactingSink sink;
  std::unique_ptr<telemetry::Tracer> tracer;
  std::unique_ptr<telemetry::Correlation> correlation;
  std::vector<assay::otlp::v1::Span> observed;
};

// An event loop on a thread of its own.
struct Loop {
  Loop() : guard(io.get_executor()), thread([this] { io.run(); }) {}
  ~Loop() {
    guard.reset();
    io.stop();
    thread.join();
  }
  template <class F>
  auto Do(F f) {
    return asio::post(io, asio::use_future(std::move(f))).get();
  }
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard;
  std::thread thread;
};

wires::UniqueFd MustListen(wires::HostNetwork& network, std::uint16_t& port) {
  auto fd = network.Listen(0);
  if (!fd) std::exit(2);
  port = wires::PortOf(fd->get());
  return *std::move(fd);
}

// The median of `seconds` of questions and answers over one connection.
double AskMedian(std::uint16_t port, const std::string& question,
                 std::size_t answer, double seconds,
                 const std::string& hello = "", std::size_t welcome = 0) {
  const int fd = ConnectTo(port);
  std::vector<char> buffer(1 << 16);
  const auto take = [&](std::size_t bytes) {
    while (bytes > 0) {
      const ssize_t size = recv(fd, buffer.data(), buffer.size(), 0);
      if (size <= 0) std::exit(2);
      bytes -= std::min(bytes, static_cast<std::size_t>(size));
    }
  };
  if (!hello.empty()) {
    SendAll(fd, hello.data(), hello.size());
    take(welcome);
  }
  std::vector<double> took;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (Clock::now() < end) {
    const auto begin = Clock::now();
    SendAll(fd, question.data(), question.size());
    take(answer);
    took.push_back(Micros(Clock::now() - begin));
  }
  close(fd);
  const auto middle =
      took.begin() + static_cast<std::ptrdiff_t>(took.size() / 2);
  std::nth_element(took.begin(), middle, took.end());
  return *middle;
}

void BenchHttpTap(double seconds) {
  const std::string question = "GET /orders/7 HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  Responder server([&](const char*, std::size_t) { return answer; });
  wires::HostNetwork network;
  Listener listener;
  Loop loop;
  std::uint16_t port = 0;
  auto fd = MustListen(network, port);
  std::optional<wires::HttpTap> tap;
  loop.Do([&] {
    tap.emplace(
        loop.io.get_executor(), std::move(fd),
        [&] {
          return wires::Dial(network, server.port(), std::chrono::seconds(1));
        },
        listener);
  });
  const double direct =
      AskMedian(server.port(), question, answer.size(), seconds);
  const double tapped = AskMedian(port, question, answer.size(), seconds);
  Row("HTTP tap, added to a request, p50", "us", tapped - direct, "floor", 60,
      1);
  loop.Do([&] { tap.reset(); });
}

std::string Message(char type, const std::string& payload) {
  std::string out;
  wires::AppendMessage(out, type, payload);
  return out;
}

void BenchPostgresTap(double seconds) {
  using namespace std::string_literals;
  std::string startup;
  wires::AppendInt32(startup, wires::kProtocolVersion3);
  startup += "user\0app\0database\0app\0\0"s;
  const std::string hello = Message('\0', startup);
  const std::string welcome =
      Message('R', std::string(4, '\0')) + Message('Z', "I");
  const std::string query = Message('Q', "select 1\0"s);
  const std::string result = Message('C', "SELECT 1\0"s) + Message('Z', "I");
  // A hundred statements and one Sync, and what is answered to them.
  constexpr int kBatch = 100;
  std::string batch;
  std::string answers;
  std::string bind = "\0\0"s + std::string(2, '\0');
  wires::AppendInt16(bind, 1);
  wires::AppendInt32(bind, 2);
  bind += "42" + std::string(2, '\0');
  for (int i = 0; i < kBatch; ++i) {
    batch += Message('P', "\0select * from orders where id = $1\0"s +
                              std::string(2, '\0')) +
             Message('B', bind) + Message('E', std::string(5, '\0'));
    answers += Message('1', "") + Message('2', "") +
               Message('D', "\0\1\0\0\0\2"s + "42") +
               Message('C', "SELECT 1\0"s);
  }
  batch += Message('S', "");
  answers += Message('Z', "I");
  std::size_t pending = 0;
  Responder server([&](const char* data, std::size_t size) -> std::string {
    if (size == hello.size() && data[0] == '\0') return welcome;
    if (size == query.size()) return result;
    pending += size;
    std::string out;
    for (; pending >= batch.size(); pending -= batch.size()) out += answers;
    return out;
  });
  wires::HostNetwork network;
  Listener listener;
  Loop loop;
  std::uint16_t port = 0;
  auto fd = MustListen(network, port);
  std::optional<wires::PostgresTap> tap;
  loop.Do([&] {
    tap.emplace(loop.io.get_executor(), std::move(fd), network, server.port(),
                listener);
  });
  const double direct = AskMedian(server.port(), query, result.size(), seconds,
                                  hello, welcome.size());
  const double tapped =
      AskMedian(port, query, result.size(), seconds, hello, welcome.size());
  Row("PostgreSQL tap, added to a statement, p50", "us", tapped - direct,
      "floor", 40, 1);
  const auto told = [&] {
    return loop.Do([&] {
      listener.tracer->Flush();
      return listener.told();
    });
  };
  const std::int64_t before = told();
  const auto begin = Clock::now();
  AskMedian(port, batch, answers.size(), seconds, hello, welcome.size());
  const double took =
      std::chrono::duration<double>(Clock::now() - begin).count();
  Row("statements of a pipeline through one PostgreSQL tap, as spans", "1/s",
      static_cast<double>(told() - before) / took, "floor", 40'000, 1);
  loop.Do([&] { tap.reset(); });
}

// pgbench's read-only statements, prepared, of eight clients. A number in its
// last line.
double Pgbench(std::uint16_t port, double seconds) {
  const std::string text = OutputOf(
      "PATH=$PATH:$(ls -d /usr/lib/postgresql/*/bin | tail -1) pgbench -n -S "
      "-M prepared -c 8 -h 127.0.0.1 -U app -p " +
      std::to_string(port) + " -T " +
      std::to_string(std::max(1, static_cast<int>(seconds))) +
      " app 2>/dev/null");
  const auto at = text.find("tps = ");
  return at == std::string::npos ? 0 : std::atof(text.c_str() + at + 6);
}

// With a real server and a real client, both on the same two cores: what is
// left of the server's own rate.
void BenchPostgresItself(double seconds) {
  auto server = tests::PostgresServer::Start({"log_statement=none"});
  if (!server) {
    std::fprintf(stderr, "no PostgreSQL: %s\n", server.error().message.c_str());
    return;
  }
  OutputOf(
      "PATH=$PATH:$(ls -d /usr/lib/postgresql/*/bin | tail -1) pgbench -i -q "
      "-h 127.0.0.1 -U app -p " +
      std::to_string((*server)->port()) + " app 2>&1");
  wires::HostNetwork network;
  Listener listener;
  Loop loop;
  std::uint16_t port = 0;
  auto fd = MustListen(network, port);
  std::optional<wires::PostgresTap> tap;
  loop.Do([&] {
    tap.emplace(loop.io.get_executor(), std::move(fd), network,
                (*server)->port(), listener);
  });
  const double direct = Pgbench((*server)->port(), seconds);
  const double tapped = Pgbench(port, seconds);
  // Client, tap and eight backends share the machine: half of the rate is left
  // where the tap costs no more than the rest together.
  Row("pgbench -S through the tap, as spans", "1/s", tapped, "direct", direct,
      2);
  loop.Do([&] { tap.reset(); });
}

// Megabytes a second from a client through `port` to a server that drops them.
double Throughput(std::uint16_t port, double seconds) {
  const int fd = ConnectTo(port);
  const std::vector<char> chunk(256 << 10, 'x');
  std::int64_t bytes = 0;
  const auto begin = Clock::now();
  const auto end = begin + std::chrono::duration<double>(seconds);
  while (Clock::now() < end) {
    if (!SendAll(fd, chunk.data(), chunk.size())) {
      std::fprintf(stderr, "the connection ended after %lld bytes\n",
                   static_cast<long long>(bytes));
      std::exit(1);
    }
    bytes += static_cast<std::int64_t>(chunk.size());
  }
  close(fd);
  return static_cast<double>(bytes) / 1e6 /
         std::chrono::duration<double>(Clock::now() - begin).count();
}

void BenchRawWire(double seconds) {
  Responder server([](const char*, std::size_t) { return std::string(); });
  wires::HostNetwork network;
  Loop loop;
  std::uint16_t port = 0;
  auto fd = MustListen(network, port);
  std::optional<wires::RelayWire> wire;
  loop.Do([&] {
    wire.emplace(loop.io.get_executor(), std::move(fd), network, server.port(),
                 nullptr);
    // Those of a run would end the connection in the middle.
    wire->SetLimits({.bytes = 0, .lifetime = {}});
  });
  std::uint16_t peer_port = 0;
  MustListen(network, peer_port);  // Free again at once.
  const auto config = std::filesystem::temp_directory_path() /
                      ("assay-haproxy-" + std::to_string(getpid()));
  std::ofstream(config) << "global\n  nbthread 1\n  maxconn 4000\ndefaults\n"
                           "  mode tcp\n  timeout connect 5s\n"
                           "  timeout client 60s\n  timeout server 60s\n"
                           "listen raw\n  bind 127.0.0.1:"
                        << peer_port
                        << "\n  server s 127.0.0.1:" << server.port() << "\n";
  const double ours = Throughput(port, seconds);
  double theirs = 0;
  {
    const Child haproxy({"haproxy", "-q", "-db", "-f", config.string()});
    if (haproxy.started()) theirs = Throughput(peer_port, seconds);
  }
  std::filesystem::remove(config);
  Row("raw wire, one way", "MB/s", ours, "haproxy", theirs, 1.25);

  const std::int64_t before = Resident();
  std::vector<int> open;
  for (int i = 0; i < 1000; ++i) {
    open.push_back(ConnectTo(port));
    SendAll(open.back(), "x", 1);
  }
  while (loop.Do([&] { return wire->open_connections(); }) < 1000) {
    usleep(1000);
  }
  Row("1,000 connections of a wire", "MB",
      static_cast<double>(Resident() - before) / 1e6, "floor", 64, 1);
  for (const int opened : open) close(opened);
  loop.Do([&] { wire.reset(); });
}

void BenchLoad(double seconds) {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  Responder server([&](const char* data, std::size_t size) {
    std::string out;
    for (std::string_view text(data, size);;) {
      const auto end = text.find("\r\n\r\n");
      if (end == std::string_view::npos) return out;
      text.remove_prefix(end + 4);
      out += answer;
    }
  });
  wires::HostNetwork network;
  asio::io_context io{1};
  const auto generate = [&](double rate) {
    steps::LoadPlan plan;
    plan.messages = {"GET / HTTP/1.1\r\nHost: a\r\n\r\n"};
    plan.message_of = {0};
    plan.is_head = {false};
    plan.due = steps::PlanArrivals(rate,
                                   std::chrono::duration_cast<Clock::duration>(
                                       std::chrono::duration<double>(seconds)),
                                   false, 1);
    plan.connections = 64;
    plan.grace = std::chrono::seconds(1);
    auto future =
        asio::co_spawn(io, steps::GenerateLoad(plan, network, server.port()),
                       asio::use_future);
    io.restart();
    io.run();
    return future.get();
  };
  // Faster than it can: what it sends is what it is able to.
  const auto flat_out = generate(400'000);
  const double took = std::chrono::duration<double>(flat_out.took).count();
  const double ours = static_cast<double>(flat_out.answered) / took;
  const std::string wrk = OutputOf(
      "wrk -t1 -c64 -d" + std::to_string(static_cast<int>(seconds)) +
      "s http://127.0.0.1:" + std::to_string(server.port()) + "/ 2>/dev/null");
  double theirs = 0;
  if (const auto at = wrk.find("Requests/sec:"); at != std::string::npos) {
    theirs = std::atof(wrk.c_str() + at + 13);
  }
  Row("load generator, as fast as it can", "1/s", ours, "wrk", theirs, 1.67);
  const auto planned = generate(60'000);
  Row("load at 60,000 a second, achieved", "1/s",
      static_cast<double>(planned.answered) /
          std::chrono::duration<double>(planned.took).count(),
      "floor", 60'000, 1.01);
}

void BenchOtlp(double seconds) {
  struct Sink final : telemetry::EventSink {
    void Emit(assay::v1::RunEvent event) override {
      spans += event.spans().spans_size();
    }
    std::int64_t spans = 0;
  } sink;
  otlp::v1::TraceExport exported;
  auto& scope = *exported.add_resource_spans()->add_scope_spans();
  for (int i = 0; i < 100; ++i) {
    auto& span = *scope.add_spans();
    span.set_trace_id(std::string(16, 't'));
    span.set_span_id(telemetry::RandomBytes(8));
    span.set_name("GET /orders/{id}");
    for (int j = 0; j < 10; ++j) {
      auto& pair = *span.add_attributes();
      pair.set_key("attribute." + std::to_string(j));
      pair.mutable_value()->set_string_value("value " + std::to_string(j));
    }
  }
  const std::string body = exported.SerializeAsString();
  telemetry::Tracer tracer(sink, std::string(16, 't'));
  telemetry::Reports reports(tracer, {.spans = 1'000'000'000});
  std::string problem;
  std::int64_t taken = 0;
  const auto begin = Clock::now();
  const auto end = begin + std::chrono::duration<double>(seconds);
  while (Clock::now() < end) {
    reports.Take(telemetry::OtlpSignal::kTraces, "service", body,
                 telemetry::OtlpFormat::kProtobuf, false, problem);
    taken += 100;
  }
  Row("OTLP spans taken in", "1/s",
      static_cast<double>(taken) /
          std::chrono::duration<double>(Clock::now() - begin).count(),
      "floor", 20'000, 1);
}

}  // namespace
}  // namespace assay::bench

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 3;
  assay::bench::BenchHttpTap(seconds);
  assay::bench::BenchPostgresTap(seconds);
  assay::bench::BenchPostgresItself(seconds);
  assay::bench::BenchRawWire(seconds);
  assay::bench::BenchLoad(seconds);
  assay::bench::BenchOtlp(seconds);
  return 0;
}
