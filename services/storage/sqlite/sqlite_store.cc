#include "services/storage/sqlite/sqlite_store.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "proto/base/fault_point.h"
#include "services/storage/job_queue.h"
#include "services/storage/migrations/migrations.h"
#include "services/storage/sqlite/sqlite_connection.h"

namespace assay::storage {
namespace {

using ConnectionPtr = std::unique_ptr<SqliteConnection>;

// The role, the threads and the errors are Store's.
class SqliteStore final : public Store {
 public:
  SqliteStore(ConnectionPtr writer, std::vector<ConnectionPtr> readers,
              SqliteOptions options)
      : options_(options), writer_connection_(std::move(writer)) {
    threads_.emplace_back([this] { WriteUntilClosed(); });
    for (ConnectionPtr& reader : readers) {
      threads_.emplace_back([this, connection = std::move(reader)] {
        ReadUntilClosed(*connection);
      });
    }
  }

  ~SqliteStore() override {
    writes_.Close();
    reads_.Close();
    for (std::thread& thread : threads_) thread.join();
  }

 protected:
  void Submit(Mode mode, Work work, Done done) override {
    Job job{std::move(work), std::move(done), {}};
    JobQueue<Job>& queue = mode == Mode::kRead ? reads_ : writes_;
    if (!queue.Push(job)) job.done(Unavailable("the store is closing"));
  }

 private:
  struct Job {
    Work work;
    Done done;
    Status status;
  };

  static Status Call(Job& job, SqliteConnection& connection) {
    Transaction tx(connection);
    try {
      return job.work(tx);
    } catch (const std::exception& bug) {
      return Internal("a transaction threw: ", bug.what());
    }
  }

  void WriteUntilClosed() {
    const auto limit = static_cast<std::size_t>(options_.max_batch);
    for (;;) {
      std::vector<Job> jobs = writes_.Take(limit);
      if (jobs.empty()) return;
      Expected<bool> committed = Commit(jobs, limit);
      if (committed && !*committed) committed = CommitApart(jobs);
      if (!committed) {
        std::ignore = writer_connection_->Execute("ROLLBACK");
        for (Job& job : jobs)
          if (job.status) job.status = std::unexpected(committed.error());
      }
      for (Job& job : jobs) job.done(std::move(job.status));
    }
  }

  // Runs all of `jobs` in one transaction, each seeing those before it, and
  // whatever is queued meanwhile: callers that the last commit woke come one
  // after the other, and would each wait for a flush of their own.
  //
  // False: a closure failed after it had written, and nothing has happened.
  // That is rare, and a savepoint for each closure would copy every page that
  // it touches.
  Expected<bool> Commit(std::vector<Job>& jobs, std::size_t limit) {
    SqliteConnection& db = *writer_connection_;
    ASSAY_RETURN_IF_ERROR(db.Execute("BEGIN IMMEDIATE"));
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const std::int64_t before = db.changes();
      jobs[i].status = Call(jobs[i], db);
      ASSAY_RETURN_IF_ERROR(CheckNotGivenUp(jobs[i]));
      if (!jobs[i].status && db.changes() != before) {
        ASSAY_RETURN_IF_ERROR(db.Execute("ROLLBACK"));
        return false;
      }
      if (i + 1 == jobs.size() && jobs.size() < limit)
        std::ranges::move(writes_.TakeQueued(limit - jobs.size()),
                          std::back_inserter(jobs));
    }
    return Flush();
  }

  // As Commit, but a closure that fails takes back its own writes only.
  Expected<bool> CommitApart(std::vector<Job>& jobs) {
    SqliteConnection& db = *writer_connection_;
    ASSAY_RETURN_IF_ERROR(db.Execute("BEGIN IMMEDIATE"));
    for (Job& job : jobs) {
      ASSAY_RETURN_IF_ERROR(db.Execute("SAVEPOINT job"));
      job.status = Call(job, db);
      ASSAY_RETURN_IF_ERROR(CheckNotGivenUp(job));
      if (!job.status) ASSAY_RETURN_IF_ERROR(db.Execute("ROLLBACK TO job"));
      ASSAY_RETURN_IF_ERROR(db.Execute("RELEASE job"));
    }
    return Flush();
  }

  // A full disk makes SQLite roll everything back by itself: nobody's closure
  // has happened, so nobody may be told that it has.
  Status CheckNotGivenUp(const Job& job) const {
    if (writer_connection_->in_transaction()) return {};
    if (!job.status) return std::unexpected(job.status.error());
    return Unavailable("the store gave up the transaction");
  }

  Expected<bool> Flush() {
    ReachFaultPoint("store.executed");
    ASSAY_RETURN_IF_ERROR(writer_connection_->Execute("COMMIT"));
    ReachFaultPoint("store.committed");
    return true;
  }

  void ReadUntilClosed(SqliteConnection& db) {
    for (;;) {
      std::vector<Job> jobs = reads_.Take(1);
      if (jobs.empty()) return;
      Job& job = jobs.front();
      if (auto begun = db.Execute("BEGIN"); !begun) {
        job.status = std::unexpected(begun.error());
      } else {
        job.status = Call(job, db);
        std::ignore = db.Execute("ROLLBACK");
      }
      job.done(std::move(job.status));
    }
  }

  const SqliteOptions options_;
  const ConnectionPtr writer_connection_;  // used by the writer thread only
  JobQueue<Job> writes_;
  JobQueue<Job> reads_;
  std::vector<std::thread> threads_;
};

Status MigrateFile(SqliteConnection& connection) {
  ASSAY_RETURN_IF_ERROR(connection.Execute("BEGIN IMMEDIATE"));
  if (Status migrated = Migrate(connection, AllMigrations()); !migrated) {
    std::ignore = connection.Execute("ROLLBACK");
    return migrated;
  }
  ASSAY_RETURN_IF_ERROR(connection.Execute("COMMIT"));
  return {};
}

}  // namespace

Expected<std::unique_ptr<Store>> OpenSqlite(const std::filesystem::path& file,
                                            SqliteOptions options) {
  ASSAY_ASSIGN_OR_RETURN(
      ConnectionPtr writer,
      SqliteConnection::Open(file, SqliteConnection::Access::kWrite));
  if (Status migrated = MigrateFile(*writer); !migrated)
    return std::unexpected(
        migrated.error().Within("opening the store " + file.string()));
  std::vector<ConnectionPtr> readers;
  for (int i = 0; i < options.readers; ++i) {
    ASSAY_ASSIGN_OR_RETURN(
        ConnectionPtr reader,
        SqliteConnection::Open(file, SqliteConnection::Access::kRead));
    readers.push_back(std::move(reader));
  }
  return std::make_unique<SqliteStore>(std::move(writer), std::move(readers),
                                       options);
}

}  // namespace assay::storage
