#ifndef ASSAY_RUNNER_STEPS_LOAD_GENERATOR_H_
#define ASSAY_RUNNER_STEPS_LOAD_GENERATOR_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runner/steps/latency_histogram.h"
#include "runner/wires/network.h"

namespace assay::steps {

// What is to be sent, and when.
struct LoadPlan {
  using Clock = std::chrono::steady_clock;

  // HTTP/1.1 messages, whole.
  std::vector<std::string> messages;
  // When each request is due, from the beginning, growing; and which message it
  // is, round and round where it is shorter.
  std::vector<Clock::duration> due;
  std::vector<std::uint32_t> message_of;
  // Those due before are sent and not counted.
  Clock::duration warmup{0};
  // After the last one is due, answers are waited for so long.
  Clock::duration grace{0};
  int connections = 1;
  // HEAD requests have answers without a body.
  std::vector<bool> is_head;
};

// What came of it. Latencies count from when a request was due, also of those
// that were never answered, so that a service which stands still cannot hide
// it; service times from when it was sent.
struct LoadResult {
  struct Exemplar {
    std::size_t request = 0;
    LoadPlan::Clock::time_point due;
    LoadPlan::Clock::time_point sent;
    LoadPlan::Clock::time_point end;
    // 0: no answer.
    int status = 0;
  };
  static constexpr std::size_t kSlowest = 20;

  std::int64_t planned = 0;
  std::int64_t answered = 0;
  std::int64_t unsent = 0;
  // By kind: "5xx", "no answer", "connection", "malformed", "unsent".
  std::map<std::string, std::int64_t> errors;
  std::map<int, std::int64_t> statuses;
  LatencyHistogram latency;
  LatencyHistogram service_time;
  // How late requests were sent though a connection was free.
  LatencyHistogram lateness;
  // The longest time by which the runner's own clock tick came too late.
  std::chrono::microseconds host_stall{0};
  // Those with the highest latencies, slowest first.
  std::vector<Exemplar> slowest;
  // From the first request that counts to the last answer.
  LoadPlan::Clock::duration took{0};
  // Nothing could be connected.
  std::string problem;

  std::int64_t failed() const;
};

// Sends requests when they are due, whatever the answers, over connections that
// are opened beforehand and again when they break. A request for which no
// connection is free waits, and its latency grows.
boost::asio::awaitable<LoadResult> GenerateLoad(const LoadPlan& plan,
                                                wires::Network& network,
                                                std::uint16_t port);

// `constant`: evenly; `poisson`: with exponential gaps. As many as fit.
std::vector<LoadPlan::Clock::duration> PlanArrivals(
    double per_second, LoadPlan::Clock::duration duration, bool poisson,
    std::uint64_t seed);

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_LOAD_GENERATOR_H_
