#include "tests/services/storage/postgres_schema.h"

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "services/storage/postgres/postgres_connection.h"

namespace assay::storage {

bool HavePostgres() {
  const char* wanted = std::getenv("ASSAY_STORE_TESTS");
  return wanted != nullptr && std::string_view(wanted) == "postgres";
}

tests::PostgresServer& SharedPostgres() {
  static const std::unique_ptr<tests::PostgresServer> server = [] {
    auto started = tests::PostgresServer::Start();
    if (!started) throw std::runtime_error(started.error().message);
    return *std::move(started);
  }();
  return *server;
}

PostgresDsn SchemaFor(const std::filesystem::path& directory) {
  PostgresDsn dsn{{{"host", "127.0.0.1"},
                   {"port", std::to_string(SharedPostgres().port())},
                   {"user", "app"},
                   {"dbname", "app"}}};
  // mkdtemp's letters are of both cases.
  const std::string schema = "\"" + directory.filename().string() + "\"";
  auto made = PostgresConnection::Connect(dsn).value()->Execute(
      "CREATE SCHEMA IF NOT EXISTS " + schema);
  if (!made) throw std::runtime_error(made.error().message);
  dsn.parameters["options"] = "-csearch_path=" + schema;
  return dsn;
}

}  // namespace assay::storage
