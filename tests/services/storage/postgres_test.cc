// What only the PostgreSQL store can get wrong: its server, its connections,
// other stores on the same database.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <set>
#include <thread>
#include <tuple>

#include "services/storage/bulletin.h"
#include "services/storage/migrations/migrations.h"
#include "services/storage/postgres/batch.h"
#include "services/storage/postgres/move.h"
#include "services/storage/postgres/session.h"
#include "services/storage/sqlite/sqlite_store.h"
#include "tests/services/storage/postgres_schema.h"
#include "tests/services/storage/store_conformance.h"

namespace assay::storage {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;

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
                IsOk());
  }

  testing::TemporaryDirectory directory_;
  const PostgresDsn dsn_ = SchemaFor(directory_.path());
};

// Writes audit records from several threads until told to stop, and keeps what
// was acknowledged.
class Writers {
 public:
  explicit Writers(Store& store, int threads = 4) {
    for (int i = 0; i < threads; ++i)
      threads_.emplace_back([this, &store, i] {
        for (int n = 0; !stop_; ++n) {
          const std::string detail =
              std::to_string(i) + "-" + std::to_string(n);
          const Status status =
              testing::Await(store.Write([detail](Transaction& tx) {
                return tx.audit.Append(
                    {.time = FromMicros(1), .detail = detail});
              }));
          const std::lock_guard lock(mutex_);
          if (status)
            acknowledged_.insert(detail);
          else
            refused_.insert(detail);
        }
      });
  }
  ~Writers() { Stop(); }
  void Stop() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return acknowledged_.size();
  }
  void WaitFor(std::size_t more) {
    const std::size_t wanted = count() + more;
    while (count() < wanted) std::this_thread::yield();
  }
  // After Stop.
  const std::set<std::string>& acknowledged() const { return acknowledged_; }
  const std::set<std::string>& refused() const { return refused_; }

 private:
  std::mutex mutex_;
  std::set<std::string> acknowledged_, refused_;
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;
};

// Stands between a client and the server, and cuts the connection at the first
// COMMIT after Arm: before it is delivered, or once it is answered.
class CuttingRelay {
 public:
  CuttingRelay(std::uint16_t server_port, bool deliver)
      : server_port_(server_port), deliver_(deliver) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_, 1) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address),
                      &size) != 0)
      throw std::runtime_error("the relay cannot listen");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Run(); });
  }
  ~CuttingRelay() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  std::uint16_t port() const { return port_; }
  void Arm() { armed_ = true; }
  bool has_cut() const { return cut_; }

 private:
  static sockaddr_in Loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  void Run() {
    const int client = ::accept(listener_, nullptr, nullptr);
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = Loopback(server_port_);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&address),
                  sizeof address) != 0)
      ADD_FAILURE() << "the relay cannot reach the server";
    while (!cut_ && Forward(client, server)) {
    }
    ::close(client);
    ::close(server);
  }
  // Moves what has come on either side; false at an end.
  bool Forward(int client, int server) {
    pollfd both[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    ::poll(both, 2, -1);
    for (int from = 0; from < 2; ++from) {
      if (both[from].revents == 0) continue;
      char bytes[65536];
      const ssize_t size = ::read(both[from].fd, bytes, sizeof bytes);
      if (size <= 0) return false;
      const std::string_view text(bytes, static_cast<std::size_t>(size));
      cut_ = armed_ && from == 0 && text.contains(kCommit);
      if (cut_ && !deliver_) return false;
      if (::write(both[1 - from].fd, bytes, static_cast<std::size_t>(size)) < 0)
        return false;
      // The answer has come, and nobody is told.
      if (cut_) return ::read(server, bytes, sizeof bytes) < 0;
    }
    return true;
  }

  // With the ends of its text: there is READ COMMITTED too.
  static constexpr std::string_view kCommit{"\0COMMIT\0", 8};

  const std::uint16_t server_port_;
  const bool deliver_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> armed_ = false, cut_ = false;
  std::thread thread_;
};

// Each acknowledged record once, none that was refused, and a whole chain.
void ExpectExactly(Store& store, const Writers& writers) {
  EXPECT_THAT(testing::Await(store.Read(
                  [](Transaction& tx) { return tx.audit.Verify(); })),
              IsOk());
  const auto records = testing::Await(store.Read([](Transaction& tx) {
                         return tx.audit.List(0, 1'000'000);
                       })).value();
  std::multiset<std::string> found;
  for (const AuditRecord& record : records) found.insert(record.detail);
  EXPECT_EQ(found.size(), writers.acknowledged().size());
  for (const std::string& detail : writers.acknowledged())
    EXPECT_EQ(found.count(detail), 1) << detail;
  for (const std::string& detail : writers.refused())
    EXPECT_EQ(found.count(detail), 0) << detail;
}

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

// Three closures in one batch; the middle one's posted statement breaks when it
// is too late for it to notice.
TEST_P(PostgresTest, APostedStatementThatFailsIsItsOwnClosuresFailure) {
  auto store = Open();
  ASSERT_THAT(Append(*store, "first"), IsOk());
  const auto db = Connect();
  std::vector<Status> answers(3, Internal("no answer"));
  std::vector<Job> jobs(3);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    jobs[i].done = [&answers, i](Status status) { answers[i] = status; };
    jobs[i].work = [i](Transaction& tx) {
      return tx.audit.Append(
          {.time = FromMicros(1), .detail = "job " + std::to_string(i)});
    };
  }
  PostgresConnection* raw = db.get();
  jobs[1].work = [raw](Transaction&) -> Status {
    return raw->Post(
        "INSERT INTO audit_log SELECT * FROM audit_log WHERE sequence = $1",
        {std::int64_t{1}});
  };
  BatchWriter([raw] { return Expected<PostgresConnection*>(raw); }).Run(jobs);
  EXPECT_THAT(answers[0], IsOk());
  EXPECT_THAT(answers[1], FailsWith(Code::kAlreadyExists, "duplicate"));
  EXPECT_THAT(answers[2], IsOk());
  EXPECT_EQ(testing::Await(
                store->Read([](Transaction& tx) { return tx.audit.Verify(); })),
            3);
}

TEST_P(PostgresTest, StoresOnOneDatabaseWriteOneAfterTheOther) {
  const auto one = Open(), two = Open();
  Writers first(*one), second(*two);
  first.WaitFor(100);
  second.WaitFor(100);
  first.Stop();
  second.Stop();
  EXPECT_TRUE(first.refused().empty());
  EXPECT_TRUE(second.refused().empty());
  EXPECT_EQ(testing::Await(
                one->Read([](Transaction& tx) { return tx.audit.Verify(); })),
            first.count() + second.count());
}

TEST_P(PostgresTest, LostConnectionsLoseAndRepeatNothing) {
  const auto store = Open();
  const auto killer = Connect();
  Writers writers(*store);
  for (int round = 0; round < 20; ++round) {
    writers.WaitFor(5);
    EndConnections(*killer);
  }
  writers.WaitFor(5);
  writers.Stop();
  EXPECT_TRUE(writers.refused().empty()) << *writers.refused().begin();
  ExpectExactly(*store, writers);
}

TEST_P(PostgresTest, AKilledServerLosesAndRepeatsNothing) {
  const auto store = Open();
  Writers writers(*store);
  writers.WaitFor(20);
  SharedPostgres().Kill();
  ASSERT_THAT(SharedPostgres().Restart(), IsOk());
  writers.WaitFor(20);
  writers.Stop();
  ExpectExactly(*store, writers);
}

// The network is cut around a COMMIT: before the server has it, and after it
// has answered. Either way the closure happens once.
TEST_P(PostgresTest, ACommitWhoseAnswerIsLostHappensOnce) {
  for (const bool deliver : {false, true}) {
    auto store = Open();
    CuttingRelay relay(SharedPostgres().port(), deliver);
    PostgresDsn dsn = dsn_;
    dsn.parameters["port"] = std::to_string(relay.port());
    auto connection = OpenSession(dsn).value();
    relay.Arm();
    int runs = 0;
    Status answer = Internal("no answer");
    std::vector<Job> jobs(1);
    jobs[0].work = [&runs](Transaction& tx) {
      ++runs;
      return tx.audit.Append({.time = FromMicros(1), .detail = "once"});
    };
    jobs[0].done = [&answer](Status status) { answer = status; };
    // As the store does: the lost connection ends where a new one begins.
    BatchWriter([&]() -> Expected<PostgresConnection*> {
      if (connection->failure() == PostgresConnection::Failure::kLost)
        connection = OpenSession(dsn_).value();
      return connection.get();
    }).Run(jobs);
    EXPECT_THAT(answer, IsOk());
    EXPECT_TRUE(relay.has_cut());
    EXPECT_EQ(runs, deliver ? 1 : 2);
    EXPECT_EQ(testing::Await(store->Read(
                  [](Transaction& tx) { return tx.audit.Verify(); })),
              deliver ? 2 : 1);
  }
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

TEST_P(PostgresTest, ClosuresAreToldWhenTheServerStaysAway) {
  auto opened = OpenPostgres(dsn_, {.patience = std::chrono::milliseconds(50)});
  ASSERT_THAT(opened, IsOk());
  SharedPostgres().Kill();
  EXPECT_THAT(Append(**opened, "x"), FailsWith(Code::kUnavailable, "refused"));
  ASSERT_THAT(SharedPostgres().Restart(), IsOk());
  EXPECT_THAT(Append(**opened, "y"), IsOk());
  EXPECT_EQ(testing::Await((*opened)->Read(
                [](Transaction& tx) { return tx.audit.Verify(); })),
            1);
}

// As a coordinator that is stopped in the middle of a transaction.
TEST_P(PostgresTest, AStoppedWriterLosesItsLockAndItsTransaction) {
  const auto store = Open();
  const auto stopped = Connect();
  ASSERT_THAT(
      stopped->Execute("SET idle_in_transaction_session_timeout = '300ms'"),
      IsOk());
  ASSERT_THAT(BeginWriting(*stopped), IsOk());
  ASSERT_THAT(stopped->Execute("DELETE FROM schema_versions"), IsOk());
  EXPECT_THAT(Append(*store, "x"), IsOk());
  EXPECT_FALSE(stopped->Execute("COMMIT"));
  EXPECT_THAT(CheckSchema(*Connect()), IsOk());
}

// Reports of two coordinators do not wait for each other; everything else that
// writes keeps out of their way, and they out of its.
TEST_P(PostgresTest, OnlyWritesOfOneKindRunBesideEachOther) {
  const auto store = Open();
  const auto renew = [&] {
    return testing::Await(store->WriteBeside([](Transaction& tx) {
      return tx.runs.Renew(RunId("run_1"), 1, Clock::TimePoint(),
                           std::chrono::seconds(1));
    }));
  };
  const auto other = Connect();
  const auto begin = [&](Beside beside, const char* patience) {
    ASSERT_THAT(other->Execute(
                    std::string("SET idle_in_transaction_session_timeout = ") +
                    patience),
                IsOk());
    ASSERT_THAT(BeginWriting(*other, beside), IsOk());
    ASSERT_THAT(other->Execute("SELECT 1"), IsOk());
  };
  // Neither has waited for the other: the session is there still.
  begin(Beside::kItsKind, "'60s'");
  EXPECT_THAT(renew(), FailsWith(Code::kAborted));
  ASSERT_THAT(other->Execute("COMMIT"), IsOk());

  begin(Beside::kItsKind, "'300ms'");
  EXPECT_THAT(Append(*store, "x"), IsOk());
  EXPECT_FALSE(other->Execute("COMMIT"));
}

TEST_P(PostgresTest, LeasesBesideEachOtherAreOfDifferentRuns) {
  const auto store = Open();
  for (const char* id : {"run_1", "run_2"}) {
    RunRecord run;
    run.id = RunId(id);
    run.attempt = AttemptId("att_1");
    run.assignment = AssignmentId("orders");
    run.kind = v1::Run::KIND_FINAL;
    ASSERT_THAT(testing::Await(store->Write(
                    [run](Transaction& tx) { return tx.runs.Enqueue(run); })),
                IsOk());
  }
  const auto lease = [](Transaction& tx) {
    return tx.runs.LeaseOldest("orders", WorkerId("w"), Clock::TimePoint(),
                               std::chrono::seconds(9),
                               RunTable::Among::kBeside);
  };
  const auto other = Connect();
  ASSERT_THAT(BeginWriting(*other, Beside::kItsKind), IsOk());
  Transaction beside(*other);
  const auto first = lease(beside).value();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->run.id, RunId("run_1"));
  const auto second = testing::Await(store->WriteBeside(lease)).value();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->run.id, RunId("run_2"));
  EXPECT_FALSE(testing::Await(store->WriteBeside(lease)).value());
  ASSERT_THAT(other->Execute("COMMIT"), IsOk());
}

TEST_P(PostgresTest, WritesBesideOthersWaitForOneThatIsAlone) {
  const auto store = Open();
  const auto alone = Connect();
  ASSERT_THAT(
      alone->Execute("SET idle_in_transaction_session_timeout = '300ms'"),
      IsOk());
  ASSERT_THAT(BeginWriting(*alone), IsOk());
  ASSERT_THAT(alone->Execute("SELECT 1"), IsOk());
  EXPECT_THAT(testing::Await(store->WriteBeside([](Transaction& tx) {
                return tx.runs.Renew(RunId("run_1"), 1, Clock::TimePoint(),
                                     std::chrono::seconds(1));
              })),
              FailsWith(Code::kAborted));
  EXPECT_FALSE(alone->Execute("COMMIT"));
}

// What a bulletin was told, for a test that waits for it.
class Ear {
 public:
  explicit Ear(Bulletin& bulletin) : bulletin_(bulletin) {
    bulletin_.Listen([this](const std::vector<std::string>& notes) {
      const std::lock_guard lock(mutex_);
      if (notes.empty()) ++reconnects_;
      heard_.insert(heard_.end(), notes.begin(), notes.end());
      changed_.notify_all();
    });
  }
  ~Ear() { bulletin_.Listen(nullptr); }
  bool WaitFor(const std::string& note) {
    return Wait([&] { return std::ranges::count(heard_, note) > 0; });
  }
  bool WaitForReconnect() {
    return Wait([&] { return reconnects_ > 0; });
  }
  std::ptrdiff_t Count(const std::string& note) {
    const std::lock_guard lock(mutex_);
    return std::ranges::count(heard_, note);
  }

 private:
  template <class Condition>
  bool Wait(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), condition);
  }

  Bulletin& bulletin_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> heard_;
  int reconnects_ = 0;
};

TEST_P(PostgresTest, ANoteReachesTheOthersAndNotItsSender) {
  const auto a = OpenPostgres(dsn_, {.bulletin = true}).value();
  const auto b = OpenPostgres(dsn_, {.bulletin = true}).value();
  Ear at_a(*a->bulletin()), at_b(*b->bulletin());
  a->bulletin()->Post("r/run_1");
  EXPECT_TRUE(at_b.WaitFor("r/run_1"));
  b->bulletin()->Post("done");
  EXPECT_TRUE(at_a.WaitFor("done"));
  EXPECT_EQ(at_a.Count("r/run_1"), 0);
}

TEST_P(PostgresTest, NotesThatComeTogetherAreSentAsOne) {
  const auto a = OpenPostgres(dsn_, {.bulletin = true}).value();
  const auto b = OpenPostgres(dsn_, {.bulletin = true}).value();
  Ear at_b(*b->bulletin());
  // More than one message holds, and each of them many times.
  for (int i = 0; i < 20'000; ++i)
    a->bulletin()->Post("r/run_" + std::to_string(i % 1'000));
  a->bulletin()->Post("zzz");
  EXPECT_TRUE(at_b.WaitFor("zzz"));
  EXPECT_TRUE(at_b.WaitFor("r/run_999"));
  EXPECT_LT(at_b.Count("r/run_7"), 20);
}

TEST_P(PostgresTest, ABulletinComesBackAndSaysThatItWasAway) {
  const auto a = OpenPostgres(dsn_, {.bulletin = true}).value();
  const auto b = OpenPostgres(dsn_, {.bulletin = true}).value();
  Ear at_b(*b->bulletin());
  EndConnections(*Connect());
  EXPECT_TRUE(at_b.WaitForReconnect());
  a->bulletin()->Post("after");
  EXPECT_TRUE(at_b.WaitFor("after"));
}

TEST_P(PostgresTest, TheServersClockIsWhatCounts) {
  const auto store = OpenPostgres(dsn_, {.bulletin = true}).value();
  const auto server = Connect();
  const auto ask = [&] {
    return FromMicros(server
                          ->Execute("SELECT (EXTRACT(EPOCH FROM "
                                    "clock_timestamp()) * 1000000)::BIGINT")
                          ->rows[0]
                          .Int(0));
  };
  const auto before = ask();
  const auto ours = store->bulletin()->clock().Now();
  const auto after = ask();
  constexpr std::chrono::milliseconds kExact{1'000};  // of a busy machine
  EXPECT_GT(ours, before - kExact);
  EXPECT_LT(ours, after + kExact);
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

TEST_P(PostgresTest, AWriterLeavesNoMarkBehind) {
  {
    const auto store = Open();
    ASSERT_THAT(Append(*store, "x"), IsOk());
    EXPECT_EQ(
        Connect()->Execute("SELECT writer FROM commit_marks")->rows.size(), 1);
  }
  EXPECT_TRUE(
      Connect()->Execute("SELECT writer FROM commit_marks")->rows.empty());
}

// Two coordinators and one run: what the one has read, the other changes before
// the one writes. Which of them is late, the statement that writes must see.
class RacingTest : public PostgresTest {
 protected:
  RacingTest() {
    RunRecord run;
    run.id = RunId("run_1");
    run.attempt = AttemptId("att_1");
    run.assignment = AssignmentId("orders");
    run.kind = v1::Run::KIND_FINAL;
    run.queue_time = FromMicros(1);
    EXPECT_THAT(testing::Await(store_->Write(
                    [run](Transaction& tx) { return tx.runs.Enqueue(run); })),
                IsOk());
  }
  // What `write` comes to that meets `change` before it is committed.
  template <class Write>
  auto Meet(const std::string& change, Write write) {
    const auto other = Connect();
    const auto observer = Connect();
    EXPECT_THAT(other->Execute("BEGIN"), IsOk());
    EXPECT_THAT(other->Execute(change), IsOk());
    auto late = std::async(std::launch::async, [&] {
      return testing::Await(store_->Write(write));
    });
    while (observer
               ->Execute("SELECT pid FROM pg_stat_activity WHERE "
                         "wait_event_type = 'Lock'")
               ->rows.empty())
      std::this_thread::yield();
    EXPECT_THAT(other->Execute("COMMIT"), IsOk());
    return late.get();
  }
  static auto TakeIt() {
    return [](Transaction& tx) {
      return tx.runs.Lease(RunId("run_1"), WorkerId("w1"), FromMicros(2),
                           std::chrono::seconds(10));
    };
  }
  Expected<std::optional<RunChange>> Lease() {
    return testing::Await(store_->Write(TakeIt()));
  }
  RunRecord Get() {
    return *testing::Await(store_->Read(
        [](Transaction& tx) { return tx.runs.Get(RunId("run_1")); }));
  }

  const std::unique_ptr<Store> store_ = Open();
};

TEST_P(RacingTest, ARunIsGrantedByOneCoordinator) {
  const auto lease = Meet(
      "UPDATE runs SET state = 2, epoch = 1, worker = 'w2', lease_expiry = 9 "
      "WHERE id = 'run_1'",
      TakeIt());
  ASSERT_THAT(lease, IsOk());
  EXPECT_FALSE(lease->has_value());
  EXPECT_EQ(Get().worker, WorkerId("w2"));
  EXPECT_EQ(Get().epoch, 1u);
}

TEST_P(RacingTest, ALeaseThatIsRenewedIsNotTakenBack) {
  ASSERT_THAT(Lease(), IsOk());
  Meet(
      "UPDATE runs SET lease_expiry = lease_expiry + 10000000 "
      "WHERE id = 'run_1'",
      [](Transaction& tx) {
        return tx.runs.ExpireLeases(FromMicros(11'000'000));
      });
  EXPECT_EQ(Get().state, v1::Run::STATE_RUNNING);
  EXPECT_EQ(Get().losses, 0);
}

TEST_P(RacingTest, ALeaseThatHasEndedIsNotHandedBack) {
  ASSERT_THAT(Lease(), IsOk());
  EXPECT_THAT(
      Meet("UPDATE runs SET state = 3, outcome = 1, lease_expiry = NULL "
           "WHERE id = 'run_1'",
           [](Transaction& tx) {
             return tx.runs.HandBack(RunId("run_1"), 1, FromMicros(3), "late",
                                     true);
           }),
      FailsWith(Code::kAborted, "not leased"));
  EXPECT_EQ(Get().state, v1::Run::STATE_FINISHED);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RacingTest);
INSTANTIATE_TEST_SUITE_P(Postgres, RacingTest,
                         ::testing::ValuesIn(HavePostgres()
                                                 ? std::vector<int>{0}
                                                 : std::vector<int>{}));

// Listed without a server too, as the tests of both stores are: as none.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PostgresTest);
INSTANTIATE_TEST_SUITE_P(Postgres, PostgresTest,
                         ::testing::ValuesIn(HavePostgres()
                                                 ? std::vector<int>{0}
                                                 : std::vector<int>{}));

}  // namespace
}  // namespace assay::storage
