#ifndef ASSAY_RUNNER_RUN_TRAFFIC_H_
#define ASSAY_RUNNER_RUN_TRAFFIC_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runner/run/chronicle.h"
#include "runner/steps/observations.h"
#include "runner/wires/http_tap.h"
#include "runner/wires/postgres_tap.h"
#include "runner/wires/redis_tap.h"

namespace assay::run {

// What the taps of a run tell: spans for its trace, observations for the check
// that runs, notes where a tap stopped seeing.
//
// Ownership: borrows both; outlives the taps.
// Threads: confined to the run's thread.
class Traffic {
 public:
  Traffic(Chronicle& chronicle, steps::Observations& seen);
  ~Traffic();

  // Listeners of one wire each, which carries `name`.
  wires::PostgresListener& Postgres(const std::string& name);
  wires::RedisListener& Redis(const std::string& name);
  // `enters`: its requests come from outside, so that what the service does
  // meanwhile belongs to them. Else the service makes them.
  wires::HttpListener& Http(const std::string& name, bool enters);

  // Of what comes from now on, only every kSample-th is told.
  static constexpr std::uint64_t kSample = 100;
  void SetSampling(bool sampling) { sampling_ = sampling; }

  // Nothing is told any more.
  void Stop() { stopped_ = true; }

 private:
  class PostgresWire;
  class RedisWire;
  class HttpWire;

  // Whether a transaction that this request began is open on any wire.
  bool InTransaction(std::uint64_t request) const;

  Chronicle& chronicle_;
  steps::Observations& seen_;
  std::vector<std::unique_ptr<PostgresWire>> postgres_;
  std::vector<std::unique_ptr<RedisWire>> redis_;
  std::vector<std::unique_ptr<HttpWire>> http_;
  // Whether what comes now is not told.
  bool Skips() { return stopped_ || (sampling_ && ++passed_ % kSample != 0); }

  bool stopped_ = false;
  bool sampling_ = false;
  std::uint64_t passed_ = 0;
};

}  // namespace assay::run

#endif  // ASSAY_RUNNER_RUN_TRAFFIC_H_
