// What only the SQLite store can get wrong: its file, its schema, its crashes.

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <future>
#include <optional>
#include <vector>

#include "services/storage/migrations/migrations.h"
#include "services/storage/sqlite/sqlite_connection.h"
#include "services/storage/sqlite/sqlite_store.h"
#include "tests/services/storage/store_conformance.h"

namespace assay::storage {
namespace {

using testing::FailsWith;
using testing::IsOk;

class SqliteTest : public ::testing::Test {
 protected:
  std::filesystem::path file() const { return directory_.path() / "store.db"; }
  std::unique_ptr<SqliteConnection> Connect() {
    return SqliteConnection::Open(file(), SqliteConnection::Access::kWrite)
        .value();
  }

  testing::TemporaryDirectory directory_;
};

TEST_F(SqliteTest, RefusesAFileOfANewerVersion) {
  ASSERT_THAT(OpenSqlite(file()), IsOk());
  ASSERT_THAT(Connect()->Execute("INSERT INTO schema_versions (version, name) "
                                 "VALUES (99, 'future')"),
              IsOk());
  const auto opened = OpenSqlite(file());
  EXPECT_THAT(opened, FailsWith(Code::kFailedPrecondition, "version 99"));
  EXPECT_THAT(opened, FailsWith(Code::kFailedPrecondition, "newer Assay"));
}

TEST_F(SqliteTest, WhatIsErasedIsNotInTheFileAnyMore) {
  const auto content = [&] {
    std::ifstream in(file(), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const auto run = [&](const std::string& statement) {
    ASSERT_THAT(Connect()->Execute(statement), IsOk());
  };
  run("CREATE TABLE people (name TEXT, note TEXT)");
  run("INSERT INTO people VALUES ('Ada Lovelace', 'x')");
  run("INSERT INTO people VALUES ('Bob', 'Charles Babbage')");
  ASSERT_NE(content().find("Ada Lovelace"), std::string::npos);
  run("UPDATE people SET name = '' WHERE note = 'x'");
  run("DELETE FROM people WHERE name = 'Bob'");
  EXPECT_EQ(content().find("Ada Lovelace"), std::string::npos);
  EXPECT_EQ(content().find("Charles Babbage"), std::string::npos);
}

TEST_F(SqliteTest, RefusesAFileThatIsNoStore) {
  std::ofstream(file()) << std::string(4'096, 'x');
  EXPECT_THAT(OpenSqlite(file()), FailsWith(Code::kDataLoss));
}

TEST_F(SqliteTest, NamesADirectoryThatIsNotThere) {
  EXPECT_THAT(OpenSqlite(directory_.path() / "no" / "store.db"),
              FailsWith(Code::kUnavailable, "store.db"));
}

TEST_F(SqliteTest, MigratesInStepsAndAStepHappensWhole) {
  const auto db = Connect();
  constexpr std::string_view kFirst[] = {"CREATE TABLE one (a BIGINT)"};
  constexpr std::string_view kBroken[] = {"CREATE TABLE two (a BIGINT)",
                                          "nonsense"};
  constexpr std::string_view kSecond[] = {"CREATE TABLE two (a BIGINT)"};
  const Migration first[] = {{1, "first", kFirst}};
  const Migration broken[] = {{1, "first", kFirst}, {2, "second", kBroken}};
  const Migration both[] = {{1, "first", kFirst}, {2, "second", kSecond}};
  const auto migrate = [&](std::span<const Migration> steps) -> Status {
    ASSAY_RETURN_IF_ERROR(db->Execute("BEGIN IMMEDIATE"));
    Status done = Migrate(*db, steps);
    ASSAY_RETURN_IF_ERROR(db->Execute(done ? "COMMIT" : "ROLLBACK"));
    return done;
  };
  ASSERT_THAT(migrate(first), IsOk());
  ASSERT_THAT(db->Execute("INSERT INTO one (a) VALUES (7)"), IsOk());
  EXPECT_THAT(migrate(broken), FailsWith(Code::kInternal, "version 2"));
  EXPECT_FALSE(db->Execute("SELECT a FROM two"));
  EXPECT_THAT(migrate(both), IsOk());
  EXPECT_THAT(migrate(both), IsOk());
  EXPECT_EQ(db->Execute("SELECT a FROM one")->rows[0].Int(0), 7);
}

TEST_F(SqliteTest, StepsAreNumberedWithoutGaps) {
  std::int32_t expected = 0;
  for (const Migration& step : AllMigrations())
    EXPECT_EQ(step.version, ++expected);
}

// Runs that an earlier version queued have their turn after the upgrade.
TEST_F(SqliteTest, AQueueOfAnEarlierVersionIsTakenOver) {
  {
    const auto db = Connect();
    ASSERT_THAT(Migrate(*db, AllMigrations().first(7)), IsOk());
    ASSERT_THAT(
        db->Execute(
            "INSERT INTO runs (id, attempt, assignment, assignment_version, "
            "kind, priority, commit_id, plan_digest, trace_id, seed, push, "
            "submission, queue_time, state, outcome, outcome_reason, epoch, "
            "worker, losses, next_offset, next_sequence) VALUES ('run_1', "
            "'att_1', 'orders', 1, 2, 3, 'c', 'p', 't', 0, '', 0, 1, 1, 0, "
            "'', 0, '', 0, 1, 2)"),
        IsOk());
  }
  const auto store = OpenSqlite(file()).value();
  testing::EventLoop loop;
  const auto heads = loop.Await(
      store->Read([](Transaction& tx) { return tx.queue.ListHeads(); }));
  ASSERT_THAT(heads, IsOk());
  ASSERT_EQ(heads->size(), 1);
  EXPECT_EQ(heads->front().needs, "");
  const auto order = loop.Await(
      store->Read([](Transaction& tx) { return tx.queue.List(10); }));
  EXPECT_EQ(order->front().assignment, AssignmentId("orders"));
}

TEST_F(SqliteTest, FlushesEachCommit) {
  ASSERT_THAT(OpenSqlite(file()), IsOk());
  const auto db = Connect();
  EXPECT_EQ(db->Execute("PRAGMA synchronous")->rows[0].Int(0), 2);  // FULL
  EXPECT_EQ(db->Execute("PRAGMA journal_mode")->rows[0].Text(0), "wal");
}

TEST_F(SqliteTest, PlaceholdersGoByTheirNumbers) {
  const auto result = Connect()->Execute("SELECT $2, $1, $2",
                                         {std::string("one"), std::int64_t{2}});
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->rows[0].Int(0), 2);
  EXPECT_EQ(result->rows[0].Text(1), "one");
  EXPECT_EQ(result->rows[0].Int(2), 2);
  EXPECT_THAT(Connect()->Execute("SELECT $3", {std::int64_t{1}}),
              FailsWith(Code::kInternal, "$3"));
}

TEST_F(SqliteTest, BytesOfEveryKindComeBack) {
  const std::string bytes("\0\xff\x80 a\n", 6);
  const auto result = Connect()->Execute(
      "SELECT $1, $2, $3", {sql::Bytes{bytes}, sql::Bytes{""}, bytes});
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->rows[0].Blob(0), bytes);
  EXPECT_EQ(result->rows[0].Blob(1), "");
  EXPECT_FALSE(result->rows[0].IsNull(1));
  EXPECT_EQ(result->rows[0].Text(2), bytes);
}

// A full disk, by SQLite's own limit on the file's size.
TEST_F(SqliteTest, AFullDiskFailsClosedAndHealsByItself) {
  const auto db = Connect();
  ASSERT_THAT(db->Execute("CREATE TABLE t (a TEXT)"), IsOk());
  ASSERT_THAT(db->Execute("PRAGMA max_page_count = 10"), IsOk());
  ASSERT_THAT(db->Execute("BEGIN IMMEDIATE"), IsOk());
  Status status;
  for (int i = 0; i < 100 && status; ++i) {
    auto inserted =
        db->Execute("INSERT INTO t (a) VALUES ($1)", {std::string(4'000, 'x')});
    if (!inserted) status = std::unexpected(inserted.error());
  }
  EXPECT_THAT(status, FailsWith(Code::kUnavailable, "check the disk"));
  (void)db->Execute("ROLLBACK");
  ASSERT_THAT(db->Execute("PRAGMA max_page_count = 1000000"), IsOk());
  EXPECT_EQ(db->Execute("SELECT COUNT(*) FROM t")->rows[0].Int(0), 0);
  EXPECT_THAT(db->Execute("INSERT INTO t (a) VALUES ('y')"), IsOk());
}

// What SQLite takes back by itself takes the whole batch with it: those who
// wrote before it are not told that they have written, and those behind it
// write nothing.
TEST_F(SqliteTest, ATransactionThatWasGivenUpIsNobodysSuccess) {
  testing::EventLoop loop;
  auto store = OpenSqlite(file()).value();
  ASSERT_THAT(
      Connect()->Execute("CREATE TRIGGER giving_up BEFORE INSERT ON audit_log "
                         "WHEN NEW.detail = 'second' BEGIN "
                         "SELECT RAISE(ROLLBACK, 'gone'); END"),
      IsOk());
  // The first one holds the writer until all of them wait.
  std::promise<void> all_wait;
  const auto wait = all_wait.get_future().share();
  std::vector<std::optional<Status>> told(3);
  const char* const names[] = {"first", "second", "third"};
  for (std::size_t i = 0; i < told.size(); ++i)
    loop.Spawn(
        [](Store* kept, std::string name, auto future,
           std::optional<Status>* answer) -> boost::asio::awaitable<void> {
          *answer = co_await kept->Write([name, future](Transaction& tx) {
            if (name == "first") future.wait();
            return tx.audit.Append({.time = FromMicros(1), .detail = name});
          });
        }(store.get(), names[i], wait, &told[i]));
  loop.RunReady();
  all_wait.set_value();
  loop.RunUntil([&] {
    return std::ranges::all_of(told, &std::optional<Status>::has_value);
  });
  for (const auto& each : told) EXPECT_FALSE(*each);
  const auto kept = loop.Await(
      store->Read([](Transaction& tx) { return tx.audit.List(0, 10); }));
  EXPECT_TRUE(kept->empty());
}

// A transaction that cannot be committed is ended all the same, so that the
// next one is.
TEST_F(SqliteTest, ACommitThatFailsHarmsNoLaterOne) {
  testing::EventLoop loop;
  auto store = OpenSqlite(file()).value();
  const auto db = Connect();
  for (const char* statement :
       {"CREATE TABLE parents (id INTEGER PRIMARY KEY)",
        "CREATE TABLE children (id INTEGER REFERENCES parents (id) "
        "DEFERRABLE INITIALLY DEFERRED)",
        "CREATE TRIGGER orphan AFTER INSERT ON audit_log "
        "WHEN NEW.detail = 'first' BEGIN INSERT INTO children VALUES (7); END"})
    ASSERT_THAT(db->Execute(statement), IsOk());
  const auto append = [&](std::string detail) {
    return loop.Await(store->Write([detail](Transaction& tx) {
      return tx.audit.Append({.time = FromMicros(1), .detail = detail});
    }));
  };
  EXPECT_FALSE(append("first"));
  EXPECT_THAT(append("second"), IsOk());
  const auto kept = loop.Await(
      store->Read([](Transaction& tx) { return tx.audit.List(0, 10); }));
  ASSERT_EQ(kept->size(), 1);
  EXPECT_EQ(kept->front().detail, "second");
}

// The child tells each acknowledged write through the pipe, and is killed in
// the middle of it: every one that was told of must be there.
TEST_F(SqliteTest, AKilledWriterLosesNothingThatItAcknowledged) {
  for (int round = 0; round < 3; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(ends[0]);
      auto store = OpenSqlite(file());
      if (!store) _exit(1);
      testing::EventLoop loop;
      for (;;) {
        const Status written = loop.Await((*store)->Write([](Transaction& tx) {
          return tx.audit.Append({.time = FromMicros(1), .actor = "child"});
        }));
        if (!written || write(ends[1], "x", 1) != 1) _exit(1);
      }
    }
    close(ends[1]);
    std::int64_t acknowledged = 0;
    char byte = 0;
    while (acknowledged < 20 && read(ends[0], &byte, 1) == 1) ++acknowledged;
    kill(child, SIGKILL);
    while (read(ends[0], &byte, 1) == 1) ++acknowledged;
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));

    static std::int64_t before;
    if (round == 0) before = 0;
    auto store = OpenSqlite(file());
    ASSERT_THAT(store, IsOk());
    const auto kept = testing::Await(
        (*store)->Read([](Transaction& tx) { return tx.audit.Verify(); }));
    ASSERT_THAT(kept, IsOk());
    EXPECT_GE(*kept, before + acknowledged);
    before = *kept;
  }
}

TEST_F(SqliteTest, AChangedAuditRecordIsFound) {
  {
    // Outlives the store, whose thread is still in post() when a result is
    // here.
    testing::EventLoop loop;
    auto store = OpenSqlite(file()).value();
    for (int i = 0; i < 3; ++i)
      ASSERT_THAT(loop.Await(store->Write([](Transaction& tx) {
        return tx.audit.Append({.time = FromMicros(1), .detail = "honest"});
      })),
                  IsOk());
  }
  ASSERT_THAT(Connect()->Execute(
                  "UPDATE audit_log SET detail = 'forged' WHERE sequence = 2"),
              IsOk());
  auto store = OpenSqlite(file()).value();
  EXPECT_THAT(testing::Await(store->Read(
                  [](Transaction& tx) { return tx.audit.Verify(); })),
              FailsWith(Code::kDataLoss, "record 2"));
}

}  // namespace
}  // namespace assay::storage
