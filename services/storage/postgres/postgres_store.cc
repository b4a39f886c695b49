#include "services/storage/postgres/postgres_store.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "proto/base/fault_point.h"
#include "proto/base/id.h"
#include "services/storage/job_queue.h"
#include "services/storage/postgres/batch.h"
#include "services/storage/postgres/postgres_bulletin.h"
#include "services/storage/postgres/session.h"

namespace assay::storage {
namespace {

using ConnectionPtr = std::unique_ptr<PostgresConnection>;
using Failure = PostgresConnection::Failure;

// A connection that comes back when it was lost.
//
// Threads: one, but for the queue.
class Line {
 public:
  Line(const PostgresDsn& dsn, ConnectionPtr connection,
       PostgresOptions options, JobQueue<Job>& queue)
      : dsn_(dsn),
        options_(options),
        queue_(queue),
        connection_(std::move(connection)) {}

  // The connection, made anew where it must be. Waits for a server that is
  // away, with patience unless the store is closing.
  Expected<PostgresConnection*> Get() {
    const auto deadline = std::chrono::steady_clock::now() + options_.patience;
    auto pause = std::chrono::milliseconds(20);
    for (;;) {
      if (connection_ && connection_->failure() != Failure::kLost)
        return connection_.get();
      auto opened = Open();
      if (opened) {
        connection_ = *std::move(opened);
        continue;
      }
      const bool hopeless = opened.error().code == Code::kFailedPrecondition;
      if (hopeless || std::chrono::steady_clock::now() > deadline ||
          !queue_.Pause(pause))
        return std::unexpected(std::move(opened).error());
      pause = std::min(pause * 2, std::chrono::milliseconds(500));
    }
  }

 private:
  Expected<ConnectionPtr> Open() {
    ASSAY_ASSIGN_OR_RETURN(ConnectionPtr connection, OpenSession(dsn_));
    ASSAY_RETURN_IF_ERROR(CheckSchema(*connection));
    return connection;
  }

  const PostgresDsn& dsn_;
  const PostgresOptions options_;
  JobQueue<Job>& queue_;
  ConnectionPtr connection_;
};

// The role, the threads and the errors are Store's.
class PostgresStore final : public Store {
 public:
  PostgresStore(PostgresDsn dsn, PostgresOptions options)
      : dsn_(std::move(dsn)), options_(options) {}

  void Start(ConnectionPtr writer, std::vector<ConnectionPtr> readers,
             std::unique_ptr<PostgresBulletin> bulletin) {
    bulletin_ = std::move(bulletin);
    threads_.emplace_back([this, connection = std::move(writer)]() mutable {
      WriteUntilClosed(Line(dsn_, std::move(connection), options_, writes_));
    });
    for (ConnectionPtr& reader : readers)
      threads_.emplace_back([this, connection = std::move(reader)]() mutable {
        ReadUntilClosed(Line(dsn_, std::move(connection), options_, reads_));
      });
    threads_.emplace_back([this] { WatchUntilClosed(); });
  }

  Bulletin* bulletin() override { return bulletin_.get(); }

  ~PostgresStore() override {
    writes_.Close();
    reads_.Close();
    for (std::thread& thread : threads_) thread.join();
  }

 protected:
  void Submit(Mode mode, Work work, Done done) override {
    Job job{.work = std::move(work),
            .done = std::move(done),
            .status = {},
            .beside = mode == Mode::kWriteBeside};
    JobQueue<Job>& queue = mode == Mode::kRead ? reads_ : writes_;
    if (!queue.Push(job)) job.done(Unavailable("the store is closing"));
  }

 private:
  void WriteUntilClosed(Line line) {
    BatchWriter writer([&line] { return line.Get(); });
    const auto limit = static_cast<std::size_t>(options_.max_batch);
    for (;;) {
      std::vector<Job> jobs = writes_.Take(limit);
      if (jobs.empty()) return writer.Leave();
      writer.Run(jobs);
    }
  }

  void ReadUntilClosed(Line line) {
    for (;;) {
      std::vector<Job> jobs = reads_.Take(1);
      if (jobs.empty()) return;
      jobs.front().status = Read(line, jobs.front());
      jobs.front().done(std::move(jobs.front().status));
    }
  }

  // What keeps a transaction open keeps every version of every row since, and
  // the small tables of the queue are the first to grow slow.
  void WatchUntilClosed() {
    Line line(dsn_, nullptr, options_, reads_);
    while (reads_.Pause(options_.watch_interval)) {
      const auto db = line.Get();
      if (!db) continue;
      const auto old = FindOldTransaction(**db, std::chrono::seconds(0));
      if (!old) continue;
      const std::chrono::seconds age(*old ? (*old)->seconds : 0);
      if (options_.on_oldest) options_.on_oldest(age);
      if (*old && age >= options_.old_transaction)
        spdlog::warn(
            "a transaction of {} (pid {}) has been open for {} s: tables "
            "cannot be tidied, and everything grows slower, until it ends",
            (*old)->program, (*old)->pid, (*old)->seconds);
    }
  }

  // A read whose connection breaks is made again: it changed nothing.
  static Status Read(Line& line, Job& job) {
    constexpr int kTries = 3;
    Status status;
    for (int i = 0; i < kTries; ++i) {
      ASSAY_ASSIGN_OR_RETURN(PostgresConnection * db, line.Get());
      status = BeginReading(*db);
      const std::int64_t untouched = db->changes();
      if (status) status = CallJob(job, *db);
      if (status && db->changes() != untouched) status = Refuse(*db);
      // Its answer is waited for with the next statement's.
      if (db->Post("ROLLBACK", {})) std::ignore = db->Send();
      if (db->failure() != Failure::kLost) return status;
    }
    return status;
  }

  // Something was posted, which nobody has waited for yet.
  static Status Refuse(PostgresConnection& db) {
    if (auto done = db.Execute("SELECT 1"); !done)
      return std::unexpected(done.error());
    return Internal("a reader wrote");
  }

  const PostgresDsn dsn_;
  const PostgresOptions options_;
  JobQueue<Job> writes_;
  JobQueue<Job> reads_;
  std::unique_ptr<PostgresBulletin> bulletin_;
  std::vector<std::thread> threads_;
};

}  // namespace

Expected<std::unique_ptr<Store>> OpenPostgres(const PostgresDsn& dsn,
                                              PostgresOptions options) {
  ASSAY_ASSIGN_OR_RETURN(ConnectionPtr writer, OpenSession(dsn));
  if (Status migrated = MigratePostgres(*writer); !migrated)
    return std::unexpected(
        migrated.error().Within("opening the store " + dsn.Describe()));
  std::vector<ConnectionPtr> readers;
  for (int i = 0; i < options.readers; ++i) {
    ASSAY_ASSIGN_OR_RETURN(ConnectionPtr reader, OpenSession(dsn));
    readers.push_back(std::move(reader));
  }
  std::unique_ptr<PostgresBulletin> bulletin;
  if (options.bulletin) {
    ASSAY_ASSIGN_OR_RETURN(bulletin, PostgresBulletin::Open(dsn));
  }
  auto store = std::make_unique<PostgresStore>(dsn, options);
  store->Start(std::move(writer), std::move(readers), std::move(bulletin));
  return store;
}

}  // namespace assay::storage
