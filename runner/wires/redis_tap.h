#ifndef ASSAY_RUNNER_WIRES_REDIS_TAP_H_
#define ASSAY_RUNNER_WIRES_REDIS_TAP_H_

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>

#include "runner/telemetry/correlation.h"
#include "runner/telemetry/tracer.h"
#include "runner/wires/redis_session.h"
#include "runner/wires/relay.h"

namespace assay::wires {

// Who listens to what Redis taps see.
//
// Threads: called on the run's thread, between reading and passing on: quick.
class RedisListener {
 public:
  virtual ~RedisListener() = default;
  // What is remembered about this moment, to come back in `begin`.
  virtual std::uint64_t Mark() = 0;
  // `connection` counts the wire's connections from 1.
  virtual void OnRedis(int connection, const RedisEvent& event) = 0;
};

// A wire to Redis that tells its listener every command.
//
// Ownership: as RelayWire; borrows the listener.
class RedisTap {
 public:
  RedisTap(const boost::asio::any_io_executor& executor, UniqueFd listening,
           Network& target, std::uint16_t port, RedisListener& listener);

  RelayWire& wire() { return wire_; }

 private:
  int connections_ = 0;
  RelayWire wire_;
};

// Records a command as a finished span below `place`, with OpenTelemetry's
// database attributes and ours: `assay.source` (tap), `assay.wire`,
// `assay.correlation` (exact, idle, ambiguous). Its first argument is shown in
// `db.query.text`, the others as `?` there and as `db.query.parameter.N`.
void RecordCommand(telemetry::Tracer& tracer, std::string_view wire,
                   const RedisCommand& command,
                   const telemetry::Correlation::Place& place);

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_REDIS_TAP_H_
