// Writers whose connection, server or other half goes away in the middle.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "services/storage/postgres/batch.h"
#include "tests/services/storage/postgres_fixture.h"

namespace assay::storage {
namespace {

using testing::FailsWith;
using testing::IsOk;

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

}  // namespace
}  // namespace assay::storage
