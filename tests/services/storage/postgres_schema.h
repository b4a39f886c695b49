#ifndef ASSAY_TESTS_SERVICES_STORAGE_POSTGRES_SCHEMA_H_
#define ASSAY_TESTS_SERVICES_STORAGE_POSTGRES_SCHEMA_H_

#include <filesystem>

#include "services/storage/postgres/postgres_store.h"
#include "tests/testing/postgres_server.h"

namespace assay::storage {

// Whether tests run against PostgreSQL too: ASSAY_STORE_TESTS is "postgres". A
// server is started once for a program; ctest starts a program for each case,
// so these cases are one entry of its list.
bool HavePostgres();

// The server of this program.
tests::PostgresServer& SharedPostgres();

// A schema of SharedPostgres for `directory`, made when it is asked for first.
PostgresDsn SchemaFor(const std::filesystem::path& directory);

}  // namespace assay::storage

#endif  // ASSAY_TESTS_SERVICES_STORAGE_POSTGRES_SCHEMA_H_
