#ifndef ASSAY_SERVICES_STORAGE_SQLITE_SQLITE_CONNECTION_H_
#define ASSAY_SERVICES_STORAGE_SQLITE_SQLITE_CONNECTION_H_

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "services/storage/sql/connection.h"

namespace assay::storage {

// A connection to an SQLite file. Opened for reading only, it still takes part
// in the write-ahead log.
class SqliteConnection final : public sql::Connection {
 public:
  enum class Access { kRead, kWrite };

  static Expected<std::unique_ptr<SqliteConnection>> Open(
      const std::filesystem::path& file, Access access);

  Expected<sql::Result> Execute(std::string_view statement,
                                std::span<const sql::Value> values) override;
  using sql::Connection::Execute;

  // False once SQLite has rolled the transaction back by itself, as it does
  // when the disk is full.
  bool in_transaction() const { return sqlite3_get_autocommit(db_.get()) == 0; }
  // Rows that were written through this connection, also those taken back.
  std::int64_t changes() const { return sqlite3_total_changes64(db_.get()); }

 private:
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const {
      sqlite3_finalize(statement);
    }
  };
  struct Closer {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  struct Prepared {
    std::unique_ptr<sqlite3_stmt, Finalizer> statement;
    // By SQLite's parameter from 0: our number from 1. SQLite numbers $2 first
    // where it stands first.
    std::vector<int> numbers;
  };

  explicit SqliteConnection(sqlite3* db) : db_(db) {}

  Expected<Prepared*> Prepare(std::string_view statement);
  Status Bind(const Prepared& prepared, std::span<const sql::Value> values);
  std::unexpected<Error> Failure(std::string_view statement) const;

  std::unique_ptr<sqlite3, Closer> db_;
  // Closed before db_.
  std::map<std::string, Prepared, std::less<>> prepared_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_SQLITE_SQLITE_CONNECTION_H_
