#ifndef ASSAY_SERVICES_MAINTENANCE_SNAPSHOT_H_
#define ASSAY_SERVICES_MAINTENANCE_SNAPSHOT_H_

#include <filesystem>
#include <memory>

#include "services/storage/sqlite/sqlite_connection.h"
#include "services/storage/transaction.h"

namespace assay::maintenance {

// A store as it was at one moment, also while an assayd goes on writing to it.
//
// Threads: one.
class Snapshot {
 public:
  // kNotFound: there is no store. kFailedPrecondition: another version of
  // Assay wrote it.
  static Expected<std::unique_ptr<Snapshot>> Open(
      const std::filesystem::path& store_file);
  ~Snapshot();

  storage::Transaction& tx() { return tx_; }
  storage::sql::Connection& connection() { return *connection_; }

 private:
  explicit Snapshot(std::unique_ptr<storage::SqliteConnection> connection)
      : connection_(std::move(connection)), tx_(*connection_) {}

  const std::unique_ptr<storage::SqliteConnection> connection_;
  storage::Transaction tx_;
};

}  // namespace assay::maintenance

#endif  // ASSAY_SERVICES_MAINTENANCE_SNAPSHOT_H_
