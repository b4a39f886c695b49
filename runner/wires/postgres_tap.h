#ifndef ASSAY_RUNNER_WIRES_POSTGRES_TAP_H_
#define ASSAY_RUNNER_WIRES_POSTGRES_TAP_H_

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <string>

#include "runner/wires/postgres_session.h"
#include "runner/wires/relay.h"

namespace assay::wires {

// Who listens to what taps see.
//
// Threads: called on the run's thread, between reading and passing on: quick.
class PostgresListener {
 public:
  virtual ~PostgresListener() = default;
  // What is remembered about this moment, to come back in Statement::begin.
  virtual std::uint64_t Mark() = 0;
  // `connection` counts the wire's connections from 1.
  virtual void OnPostgres(int connection, const std::string& database,
                          const PostgresEvent& event) = 0;
  virtual void OnPostgresClosed(int connection) {}
};

// A wire to PostgreSQL that tells its listener every statement. With the fault
// `error`, statements are answered with that SQLSTATE and go no further.
//
// Ownership: as RelayWire; borrows the listener.
class PostgresTap {
 public:
  PostgresTap(const boost::asio::any_io_executor& executor, UniqueFd listening,
              Network& target, std::uint16_t port, PostgresListener& listener);

  RelayWire& wire() { return wire_; }

 private:
  int connections_ = 0;
  RelayWire wire_;
};

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_POSTGRES_TAP_H_
