// What only the PostgreSQL store can get wrong: its server, its schema, its
// sessions, and what is moved to it.

#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "services/storage/bulletin.h"
#include "services/storage/migrations/migrations.h"
#include "services/storage/postgres/move.h"
#include "services/storage/sqlite/sqlite_store.h"
#include "tests/services/storage/postgres_fixture.h"

namespace assay::storage {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;

TEST_P(PostgresTest, NamesWhatIsWrongWithTheAddressInOneLine) {
  PostgresDsn dsn = dsn_;
  dsn.parameters["port"] = "1";
  const auto nobody = OpenPostgres(dsn);
  EXPECT_THAT(nobody, FailsWith(Code::kUnavailable, "127.0.0.1:1/app"));
  EXPECT_THAT(nobody, FailsWith(Code::kUnavailable, "refused"));
  dsn = dsn_;
  dsn.parameters["dbname"] = "nope";
  dsn.parameters["password"] = "hunter2";
  const auto absent = OpenPostgres(dsn);
  EXPECT_THAT(absent, FailsWith(Code::kUnavailable, "\"nope\""));
  EXPECT_THAT(absent, FailsWith(Code::kUnavailable, "createdb"));
  for (const auto& opened : {&nobody, &absent}) {
    EXPECT_THAT((*opened).error().message, Not(HasSubstr("\n")));
    EXPECT_THAT((*opened).error().message, Not(HasSubstr("hunter2")));
  }
  EXPECT_THAT(ParsePostgresDsn("postgres://host:port:too/x?nonsense=1"),
              FailsWith(Code::kInvalidArgument, "--store"));
}

TEST_P(PostgresTest, RefusesASchemaOfANewerVersion) {
  auto store = Open();
  ASSERT_THAT(Connect()->Execute("INSERT INTO schema_versions (version, name) "
                                 "VALUES (99, 'future')"),
              IsOk());
  EXPECT_THAT(OpenPostgres(dsn_),
              FailsWith(Code::kFailedPrecondition, "version 99"));
  // One that was open already says so as soon as it has to connect again.
  EndConnections(*Connect());
  EXPECT_THAT(Append(*store, "x"),
              FailsWith(Code::kFailedPrecondition, "version 99"));
}

TEST_P(PostgresTest, RefusesADatabaseWithoutUnicode) {
  PostgresDsn dsn = dsn_;
  dsn.parameters["user"] = "postgres";
  std::ignore = PostgresConnection::Connect(dsn).value()->Execute(
      "CREATE DATABASE ascii ENCODING 'SQL_ASCII' LOCALE 'C' "
      "TEMPLATE template0");
  dsn.parameters["dbname"] = "ascii";
  EXPECT_THAT(OpenPostgres(dsn),
              FailsWith(Code::kFailedPrecondition, "SQL_ASCII"));
}

TEST_P(PostgresTest, NamesADatabaseOfSomethingElseAndARoleWithoutRights) {
  PostgresDsn dsn = dsn_;
  dsn.parameters["user"] = "postgres";
  const auto run = [](const PostgresDsn& at, const char* statement) {
    std::ignore = PostgresConnection::Connect(at).value()->Execute(statement);
  };
  run(dsn, "CREATE DATABASE foreigners");
  run(dsn, "CREATE ROLE weak LOGIN");
  dsn.parameters["dbname"] = "foreigners";
  dsn.parameters.erase("options");
  run(dsn, "REVOKE CREATE ON SCHEMA public FROM PUBLIC");
  run(dsn, "CREATE TABLE runs (id INT)");
  const auto foreign = OpenPostgres(dsn);
  EXPECT_THAT(foreign,
              FailsWith(Code::kFailedPrecondition, "is not Assay's: name a"));
  EXPECT_THAT(foreign.error().message, Not(HasSubstr("\n")));
  dsn.parameters["user"] = "weak";
  const auto weak = OpenPostgres(dsn);
  EXPECT_THAT(weak, FailsWith(Code::kFailedPrecondition, "GRANT"));
  EXPECT_THAT(weak.error().message, Not(HasSubstr("\n")));
}

TEST_P(PostgresTest, MigratesWhatEachEarlierVersionLeft) {
  const auto all = AllMigrations();
  for (std::size_t steps = 1; steps < all.size(); ++steps) {
    const testing::TemporaryDirectory directory;
    const PostgresDsn dsn = SchemaFor(directory.path());
    const auto db = OpenSession(dsn).value();
    ASSERT_THAT(BeginWriting(*db), IsOk());
    ASSERT_THAT(Migrate(*db, all.first(steps)), IsOk());
    ASSERT_THAT(db->Execute("COMMIT"), IsOk());
    ASSERT_THAT(OpenPostgres(dsn), IsOk()) << "from version " << steps;
    EXPECT_THAT(CheckSchema(*db), IsOk());
  }
}

TEST_P(PostgresTest, TwoStoresThatOpenAtOnceMigrateOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> opened = 0;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] { opened += OpenPostgres(dsn_) ? 1 : 0; });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(opened, 4);
}

TEST_P(PostgresTest, SessionsEndOpenTransactionsAndFlushCommits) {
  auto admin = dsn_;
  admin.parameters["user"] = "postgres";
  const auto root = PostgresConnection::Connect(admin).value();
  ASSERT_THAT(root->Execute("ALTER ROLE app SET synchronous_commit = off"),
              IsOk());
  const auto session = Connect();
  const auto setting = [&](const std::string& name) {
    return session->Execute("SELECT current_setting($1)", {name})
        ->rows[0]
        .Text(0);
  };
  EXPECT_EQ(setting("synchronous_commit"), "on");
  EXPECT_EQ(setting("idle_in_transaction_session_timeout"), "5s");
  ASSERT_THAT(root->Execute("ALTER ROLE app RESET synchronous_commit"), IsOk());
}

TEST_P(PostgresTest, ValuesOfEveryKindComeBack) {
  const std::string bytes("\0\xff\x80 a\n", 6);
  const auto db = Connect();
  const auto result =
      db->Execute("SELECT $2, $1, $3, $4, $5, $6::bigint, 7",
                  {std::string("one"), std::int64_t{-2}, sql::Bytes{bytes},
                   sql::Bytes{""}, 0.1, sql::Value()});
  ASSERT_THAT(result, IsOk());
  const sql::Row& row = result->rows[0];
  EXPECT_EQ(row.Int(0), -2);
  EXPECT_EQ(row.Text(1), "one");
  EXPECT_EQ(row.Blob(2), bytes);
  EXPECT_EQ(row.Blob(3), "");
  EXPECT_FALSE(row.IsNull(3));
  EXPECT_EQ(row.Real(4), 0.1);
  EXPECT_TRUE(row.IsNull(5));
  EXPECT_EQ(row.Int(6), 7);
  EXPECT_THAT(db->Execute("SELECT $1", {std::string("a\0b", 3)}),
              FailsWith(Code::kInvalidArgument));
  EXPECT_THAT(db->Execute("SELECT $1", {std::string("\xff")}),
              FailsWith(Code::kInvalidArgument));
}

TEST_P(PostgresTest, AMovedStoreIsTheSameRowByRow) {
  const auto file = directory_.path() / "store.db";
  {
    const auto sqlite = OpenSqlite(file).value();
    // More than a page, and values of every kind.
    for (int i = 0; i < 1'200; ++i)
      ASSERT_THAT(Append(*sqlite, "Zürich " + std::to_string(i)), IsOk());
    ASSERT_THAT(testing::Await(sqlite->Write([](Transaction& tx) -> Status {
                  ASSAY_RETURN_IF_ERROR(tx.assignments.Create(
                      StoreConformanceTest::SomeAssignment()));
                  return tx.requests.Record({"a", "B", "c"}, "d",
                                            std::string("\0\xff", 2), {});
                })),
                IsOk());
  }
  const auto moved = MoveToPostgres(file, dsn_);
  ASSERT_THAT(moved, IsOk());
  EXPECT_EQ(moved->rows, 1'200 + 3);
  EXPECT_FALSE(moved->repeated);
  {
    const auto store = Open();
    EXPECT_EQ(testing::Await(store->Read(
                  [](Transaction& tx) { return tx.audit.Verify(); })),
              1'200);
    EXPECT_EQ(testing::Await(store->Read([](Transaction& tx) {
                return tx.requests.Find({"a", "B", "c"}, "d");
              })).value(),
              std::string("\0\xff", 2));
  }
  // Cut off after the commit: again, and nothing is doubled.
  const auto again = MoveToPostgres(file, dsn_);
  ASSERT_THAT(again, IsOk());
  EXPECT_TRUE(again->repeated);
  // Into a database with anything else: refused, and nothing is touched.
  ASSERT_THAT(Connect()->Execute("UPDATE audit_log SET detail = 'other' "
                                 "WHERE sequence = 700"),
              IsOk());
  EXPECT_THAT(MoveToPostgres(file, dsn_),
              FailsWith(Code::kFailedPrecondition, "row 700 of audit_log"));
}

TEST_P(PostgresTest, AMoveOfTextThatPostgresCannotHoldLeavesNothing) {
  const auto file = directory_.path() / "store.db";
  ASSERT_THAT(Append(*OpenSqlite(file).value(), "caf\xe9"), IsOk());
  EXPECT_THAT(MoveToPostgres(file, dsn_),
              FailsWith(Code::kInvalidArgument, "audit_log"));
  EXPECT_FALSE(Connect()->Execute("SELECT 1 FROM schema_versions"));
}

TEST_P(PostgresTest, FindsATransactionThatStaysOpen) {
  const auto idle = Connect(), observer = Connect();
  const auto find = [&](int seconds) {
    return FindOldTransaction(*observer, std::chrono::seconds(seconds)).value();
  };
  EXPECT_EQ(find(0), std::nullopt);
  ASSERT_THAT(BeginReading(*idle), IsOk());
  const auto pid = idle->Execute("SELECT pg_backend_pid()")->rows[0].Int(0);
  ASSERT_TRUE(find(0).has_value());
  EXPECT_EQ(find(0)->pid, pid);
  EXPECT_EQ(find(0)->program, "assayd");
  EXPECT_EQ(find(60), std::nullopt);
}

TEST_P(PostgresTest, TellsHowLongTheOldestTransactionHasBeenOpen) {
  const auto idle = Connect();
  ASSERT_THAT(BeginReading(*idle), IsOk());
  ASSERT_THAT(idle->Execute("SELECT 1"), IsOk());
  std::promise<std::chrono::seconds> told;
  std::once_flag once;
  // Not this moment's: a second old.
  const auto store = OpenPostgres(
      dsn_, {.watch_interval = std::chrono::milliseconds(100),
             .on_oldest = [&](std::chrono::seconds age) {
               if (age.count() > 0)
                 std::call_once(once, [&] { told.set_value(age); });
             }});
  ASSERT_THAT(store, IsOk());
  EXPECT_EQ(told.get_future().wait_for(std::chrono::seconds(20)),
            std::future_status::ready);
}

// Listed without a server too, as the tests of both stores are: as none.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PostgresTest);
INSTANTIATE_TEST_SUITE_P(Postgres, PostgresTest,
                         ::testing::ValuesIn(HavePostgres()
                                                 ? std::vector<int>{0}
                                                 : std::vector<int>{}));

}  // namespace
}  // namespace assay::storage
