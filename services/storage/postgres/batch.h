#ifndef ASSAY_SERVICES_STORAGE_POSTGRES_BATCH_H_
#define ASSAY_SERVICES_STORAGE_POSTGRES_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "proto/base/error.h"
#include "services/storage/postgres/postgres_connection.h"
#include "services/storage/transaction.h"

namespace assay::storage {

// A closure that waits, and what it answered.
struct Job {
  std::move_only_function<Status(Transaction&)> work;
  std::move_only_function<void(Status)> done;
  Status status;
  // Of Store::WriteBeside.
  bool beside = false;
};

// Runs the closure inside the transaction that `connection` is in.
Status CallJob(Job& job, PostgresConnection& connection);

// Commits closures, as many as possible in one transaction.
//
// Closures run one after the other without savepoints. One that fails after it
// has written takes the transaction with it: those before it run again and are
// committed without it, then it is the first of a transaction, and what it
// answers there is final. So nobody is told of a failure that another closure's
// writes brought about.
//
// A transaction keeps all other writers of the database out, unless every
// closure in it may run beside others of its kind.
//
// Threads: one.
class BatchWriter {
 public:
  // Answers with a connection that works, or with why there is none.
  using Connect = std::function<Expected<PostgresConnection*>()>;
  explicit BatchWriter(Connect connect);

  // Runs `jobs` in their order and calls each one's `done` after its commit.
  void Run(std::span<Job> jobs);
  // Takes back what says how far this writer has come.
  void Leave();

 private:
  // What became of a transaction that `count` jobs were to be in.
  struct Ended {
    // So many are decided: committed, or failed without a trace.
    std::size_t decided = 0;
    // Most that the next transaction may hold.
    std::size_t limit = 0;
  };

  Expected<Ended> Try(std::span<Job> jobs, std::size_t limit);
  // Commits what `jobs` did. The lost answer of a commit is looked up.
  Expected<Ended> Commit(PostgresConnection& db, std::span<Job> jobs);
  Expected<bool> HasHappened();
  // After a failure in the transaction of `jobs`, met while the last of them
  // ran or was committed.
  Expected<Ended> GiveUp(PostgresConnection& db, std::span<Job> jobs);
  // Lets everything be tried again, or fail with `error` after too often.
  Expected<Ended> Again(Error error);

  const Connect connect_;
  const std::string name_;
  std::int64_t batch_ = 0;
  int setbacks_ = 0;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_POSTGRES_BATCH_H_
