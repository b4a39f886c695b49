// What the egress wire costs, beside haproxy and beside no relay at all.
//
//   egress_bench BIN_DIR ROUNDS

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/wires/relays.h"

namespace {

using namespace assay::sandbox;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kBytes = std::uint64_t{512} << 20;
constexpr int kPings = 4'000;
constexpr std::size_t kPing = 64;
constexpr int kParallel = 8;

struct Way {
  std::uint16_t port;
  // Sent first, with its answer's length: a tunnel to be opened.
  std::string opening;
};

double Seconds(Clock::duration time) {
  return std::chrono::duration<double>(time).count();
}
double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

UniqueFd Open(const Way& way) {
  UniqueFd fd = ConnectTo(way.port);
  if (way.opening.empty()) return fd;
  constexpr std::string_view kAnswer =
      "HTTP/1.1 200 Connection established\r\n\r\n";
  std::string answer(kAnswer.size(), '\0');
  SendAll(fd.get(), way.opening.data(), way.opening.size());
  if (!ReceiveAll(fd.get(), answer.data(), answer.size()) ||
      answer != kAnswer) {
    std::fprintf(stderr, "the egress wire answered: %s\n", answer.c_str());
    std::exit(1);
  }
  return fd;
}

void Download(const Way& way, std::uint64_t bytes) {
  const UniqueFd fd = Open(way);
  char ask[9] = {'d'};
  std::memcpy(ask + 1, &bytes, 8);
  SendAll(fd.get(), ask, sizeof(ask));
  std::vector<char> buffer(256 << 10);
  for (std::uint64_t left = bytes; left > 0;) {
    const auto size = std::min<std::uint64_t>(left, buffer.size());
    if (!ReceiveAll(fd.get(), buffer.data(), size)) {
      std::fprintf(stderr, "a download ended early\n");
      std::exit(1);
    }
    left -= size;
  }
}

// MB/s of `count` downloads at a time.
double Throughput(const Way& way, int count) {
  const auto begin = Clock::now();
  std::vector<std::thread> clients;
  for (int i = 0; i < count; ++i) {
    clients.emplace_back(Download, way, kBytes / static_cast<unsigned>(count));
  }
  for (auto& client : clients) client.join();
  return static_cast<double>(kBytes) / 1e6 / Seconds(Clock::now() - begin);
}

// The median round trip in microseconds.
double Latency(const Way& way) {
  const UniqueFd fd = Open(way);
  SendAll(fd.get(), "e", 1);
  char bytes[kPing] = {};
  std::vector<double> trips;
  for (int i = 0; i < kPings; ++i) {
    const auto begin = Clock::now();
    if (!SendAll(fd.get(), bytes, kPing) ||
        !ReceiveAll(fd.get(), bytes, kPing)) {
      std::fprintf(stderr, "an echo ended early\n");
      std::exit(1);
    }
    trips.push_back(Seconds(Clock::now() - begin) * 1e6);
  }
  return Median(trips);
}

struct Series {
  std::vector<double> one, many, latency;
  void Measure(const Way& way) {
    one.push_back(Throughput(way, 1));
    many.push_back(Throughput(way, kParallel));
    latency.push_back(Latency(way));
  }
};

void Row(const char* metric, const char* unit, double ours, const char* peer,
         double theirs, double most) {
  std::printf("%s\t%s\t%.1f\t%s\t%.1f\t%.2f\n", metric, unit, ours, peer,
              theirs, most);
}

void Measure(const Way& direct, const Way& ours, const Way& haproxy,
             int rounds) {
  Series none, us, them;
  // In turns, so that what else the machine does hits all of them.
  for (int i = 0; i < rounds; ++i) {
    none.latency.push_back(Latency(direct));
    us.Measure(ours);
    them.Measure(haproxy);
  }
  // At least 0.8 of haproxy's.
  constexpr double kOf = 1.25;
  constexpr double kMostAdded = 60;
  Row("egress wire, 1 connection", "MB/s", Median(us.one), "haproxy",
      Median(them.one), kOf);
  Row("egress wire, 8 connections", "MB/s", Median(us.many), "haproxy",
      Median(them.many), kOf);
  const double base = Median(none.latency);
  Row("egress wire, added to a round trip, p50", "us",
      Median(us.latency) - base, "limit", kMostAdded, 1);
  std::printf("egress wire, round trip, p50\tus\t%.1f\thaproxy\t%.1f\t\n",
              Median(us.latency), Median(them.latency));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: egress_bench BIN_DIR ROUNDS\n", stderr);
    return 2;
  }
  auto [server_listener, server] = ListenAnywhere();
  auto [egress_listener, egress] = ListenAnywhere();
  auto [free_port, haproxy] = ListenAnywhere();
  free_port.Reset();
  char directory[] = "/tmp/assay-bench-XXXXXX";
  if (::mkdtemp(directory) == nullptr) return 1;
  const std::string configuration = std::string(directory) + "/haproxy.cfg";
  const Child serving(StartServer(std::move(server_listener)));
  const Child ours(StartEgress(std::move(egress_listener), server,
                               std::string(argv[1]) + "/assay-egress"));
  const Child theirs(StartHaproxy(haproxy, server, configuration));
  const std::string target = "127.0.0.1:" + std::to_string(server);
  Measure({server, ""}, {egress, "CONNECT " + target + " HTTP/1.1\r\n\r\n"},
          {haproxy, ""}, std::max(1, std::atoi(argv[2])));
  ::unlink(configuration.c_str());
  ::rmdir(directory);
  return 0;
}
