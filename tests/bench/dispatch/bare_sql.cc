#include "tests/bench/dispatch/bare_sql.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "services/storage/postgres/session.h"
#include "services/storage/sqlite/sqlite_connection.h"

namespace assay::bench {
namespace {

using storage::sql::Connection;
using storage::sql::Result;

constexpr int kClients = 16;

#define ASSAY_BENCH_LEASE(skip)                                   \
  "UPDATE runs SET state = 2, epoch = epoch + 1, worker = $1, "   \
  "lease_expiry = $2, start_time = $2, next_offset = 1, "         \
  "next_sequence = next_sequence + 1 "                            \
  "WHERE state = 1 AND id = (SELECT id FROM runs WHERE "          \
  "state = 1 ORDER BY priority DESC, queue_time, id LIMIT 1" skip \
  ") RETURNING id"

Result Must(Expected<Result> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "bare SQL: %s\n", result.error().message.c_str());
  std::exit(1);
}

// As large as an event of the bench is.
const storage::sql::Bytes kContent{std::string(64, 'x')};

void AddEvent(Connection& db, const std::string& run, std::int64_t sequence) {
  Must(
      db.Execute("INSERT INTO run_events (run, sequence, epoch, kind, content) "
                 "VALUES ($1, $2, 1, 2, $3)",
                 {run, sequence, kContent}));
}

// Empty: the queue is.
std::string Lease(Connection& db, const char* statement) {
  const Result leased =
      Must(db.Execute(statement, {std::string("w"), std::int64_t{1}}));
  if (leased.rows.empty()) return "";
  const std::string run = leased.rows.front().Text(0);
  AddEvent(db, run, 2);
  return run;
}

void End(Connection& db, const std::string& run) {
  Must(
      db.Execute("UPDATE runs SET next_offset = next_offset + 2, "
                 "next_sequence = next_sequence + 2 "
                 "WHERE id = $1 AND epoch = 1 AND state = 2",
                 {run}));
  AddEvent(db, run, 3);
  AddEvent(db, run, 4);
  Must(
      db.Execute("INSERT INTO check_results (run, epoch, check_id, sequence, "
                 "content) VALUES ($1, 1, 'one', 1, $2)",
                 {run, kContent}));
  Must(
      db.Execute("UPDATE runs SET state = 3, outcome = 1, score = $2, "
                 "finish_time = 1, lease_expiry = NULL, "
                 "next_sequence = next_sequence + 1 "
                 "WHERE id = $1 AND epoch = 1 AND state = 2",
                 {run, kContent}));
  AddEvent(db, run, 5);
}

double Rate(int count, std::chrono::steady_clock::time_point since) {
  return count /
         std::chrono::duration<double>(std::chrono::steady_clock::now() - since)
             .count();
}

}  // namespace

double BareSqlite(const std::filesystem::path& file, int count) {
  const auto db = storage::SqliteConnection::Open(
                      file, storage::SqliteConnection::Access::kWrite)
                      .value();
  const auto since = std::chrono::steady_clock::now();
  int ended = 0;
  while (ended < count) {
    std::vector<std::string> runs;
    Must(db->Execute("BEGIN IMMEDIATE"));
    for (int i = 0; i < kClients; ++i)
      runs.push_back(Lease(*db, ASSAY_BENCH_LEASE("")));
    Must(db->Execute("COMMIT"));
    Must(db->Execute("BEGIN IMMEDIATE"));
    for (const std::string& run : runs) End(*db, run);
    Must(db->Execute("COMMIT"));
    ended += kClients;
  }
  return Rate(ended, since);
}

double BarePostgres(const storage::PostgresDsn& dsn, int count) {
  std::vector<std::unique_ptr<storage::PostgresConnection>> connections;
  for (int i = 0; i < kClients; ++i)
    connections.push_back(storage::OpenSession(dsn).value());
  const auto since = std::chrono::steady_clock::now();
  std::atomic<int> left = count;
  std::vector<std::thread> clients;
  for (const auto& connection : connections)
    clients.emplace_back([&db = *connection, &left] {
      while (left.fetch_sub(1) > 0) {
        Must(db.Execute("BEGIN"));
        const std::string run =
            Lease(db, ASSAY_BENCH_LEASE(" FOR UPDATE SKIP LOCKED"));
        Must(db.Execute("COMMIT"));
        Must(db.Execute("BEGIN"));
        End(db, run);
        Must(db.Execute("COMMIT"));
      }
    });
  for (std::thread& client : clients) client.join();
  return Rate(count, since);
}

}  // namespace assay::bench
