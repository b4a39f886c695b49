#ifndef ASSAY_TESTS_SERVICES_STORAGE_POSTGRES_FIXTURE_H_
#define ASSAY_TESTS_SERVICES_STORAGE_POSTGRES_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "services/storage/postgres/session.h"
#include "tests/services/storage/postgres_schema.h"
#include "tests/services/storage/store_conformance.h"

namespace assay::storage {

// Parametrised for the sake of being listed only where a server may be started.
class PostgresTest : public ::testing::TestWithParam<int> {
 protected:
  std::unique_ptr<Store> Open() { return OpenPostgres(dsn_).value(); }
  std::unique_ptr<PostgresConnection> Connect() {
    return OpenSession(dsn_).value();
  }
  static Status Append(Store& store, const std::string& detail) {
    return testing::Await(store.Write([detail](Transaction& tx) {
      return tx.audit.Append({.time = FromMicros(1), .detail = detail});
    }));
  }
  // Ends every connection of the database but the one that asks.
  static void EndConnections(PostgresConnection& connection) {
    ASSERT_THAT(connection.Execute(
                    "SELECT pg_terminate_backend(pid)::int::bigint FROM "
                    "pg_stat_activity WHERE datname = current_database() "
                    "AND pid <> pg_backend_pid()"),
                testing::IsOk());
  }

  testing::TemporaryDirectory directory_;
  const PostgresDsn dsn_ = SchemaFor(directory_.path());
};

}  // namespace assay::storage

#endif  // ASSAY_TESTS_SERVICES_STORAGE_POSTGRES_FIXTURE_H_
