#ifndef ASSAY_RUNNER_SIDECARS_POSTGRES_DATABASE_H_
#define ASSAY_RUNNER_SIDECARS_POSTGRES_DATABASE_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/error.h"
#include "runner/wires/network.h"
#include "runner/wires/postgres_client.h"

namespace assay::sidecars {

// The runner's own way into a PostgreSQL of a run: reads for `sql` steps,
// snapshot and restore for `reset: per-check`. Connects when it has to, from
// an address that the server trusts with more than the service's.
//
// Ownership: borrows the network of the sidecar's cell.
// Threads: confined to the run's thread; one operation at a time.
class PostgresDatabase {
 public:
  using Deadline = wires::PostgresClient::Deadline;

  PostgresDatabase(wires::Network& network, std::uint16_t port);

  // One statement in a read-only session.
  boost::asio::awaitable<Expected<wires::SqlResult>> Read(
      std::string statement, std::vector<std::optional<std::string>> args,
      Deadline deadline);
  // How the server would run a statement of the service's (EXPLAIN in JSON, as
  // the only value), with the service's rights, without running it. Without
  // `args`, or where the server cannot use them: a plan for any values of
  // $1 to $`parameters`.
  boost::asio::awaitable<Expected<wires::SqlResult>> Explain(
      std::string statement,
      std::optional<std::vector<std::optional<std::string>>> args,
      std::size_t parameters, Deadline deadline);
  // Remembers the contents as they are now.
  boost::asio::awaitable<Status> TakeSnapshot(Deadline deadline);
  // What a restore did.
  struct Restored {
    int tables = 0;
    // Connections of the service were ended because they held locks.
    bool ended_transactions = false;
  };
  boost::asio::awaitable<Expected<Restored>> Restore(Deadline deadline);
  // Forgets the connections: the server behind them is gone.
  void Disconnect();

 private:
  using Client = std::unique_ptr<wires::PostgresClient>;
  boost::asio::awaitable<Status> Connect(Client& client, std::string user,
                                         std::string options, Deadline deadline,
                                         bool as_service = false);
  boost::asio::awaitable<Expected<wires::SqlResult>> Administer(
      std::string_view script, Deadline deadline);
  boost::asio::awaitable<Expected<wires::SqlResult>> RunRestore(
      Deadline deadline);
  // The server gives a statement up when nobody waits for it any more.
  boost::asio::awaitable<Status> LimitStatements(Deadline deadline);

  wires::Network& network_;
  const std::uint16_t port_;
  Client reader_;
  // 0: none was set in the reader's session.
  std::chrono::milliseconds reader_limit_{0};
  Client admin_;
  Client resetter_;
  Client explainer_;
};

}  // namespace assay::sidecars

#endif  // ASSAY_RUNNER_SIDECARS_POSTGRES_DATABASE_H_
