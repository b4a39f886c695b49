#ifndef ASSAY_SERVICES_MAINTENANCE_SNAPSHOT_H_
#define ASSAY_SERVICES_MAINTENANCE_SNAPSHOT_H_

#include <filesystem>
#include <memory>
#include <string>

#include "services/storage/sql/connection.h"
#include "services/storage/transaction.h"

namespace assay::maintenance {

// A store as it was at one moment, also while an assayd goes on writing to it.
//
// Threads: one.
class Snapshot {
 public:
  // `place` names a PostgreSQL; empty: the SQLite file in `data_dir`.
  //
  // kNotFound: there is no store. kFailedPrecondition: another version of
  // Assay wrote it, or it is in PostgreSQL and `place` does not say so.
  static Expected<std::unique_ptr<Snapshot>> Open(
      const std::filesystem::path& data_dir, const std::string& place = "");
  ~Snapshot();

  storage::Transaction& tx() { return tx_; }
  storage::sql::Connection& connection() { return *connection_; }

 private:
  explicit Snapshot(std::unique_ptr<storage::sql::Connection> connection)
      : connection_(std::move(connection)), tx_(*connection_) {}

  const std::unique_ptr<storage::sql::Connection> connection_;
  storage::Transaction tx_;
};

}  // namespace assay::maintenance

#endif  // ASSAY_SERVICES_MAINTENANCE_SNAPSHOT_H_
