#include "services/storage/postgres/batch.h"

#include <algorithm>
#include <exception>
#include <limits>
#include <tuple>
#include <utility>

#include "proto/base/fault_point.h"
#include "proto/base/id.h"
#include "services/storage/postgres/session.h"

namespace assay::storage {
namespace {

using Failure = PostgresConnection::Failure;

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
// Transactions in a row that may end by conflicts or lost connections.
constexpr int kMaxSetbacks = 10;
// How often a server that went away in a commit is waited for.
constexpr int kMaxQuestions = 12;

constexpr const char* kMark =
    "INSERT INTO commit_marks (writer, batch) VALUES ($1, $2) "
    "ON CONFLICT (writer) DO UPDATE SET batch = excluded.batch";

}  // namespace

Status CallJob(Job& job, PostgresConnection& connection) {
  Transaction tx(connection);
  try {
    return job.work(tx);
  } catch (const std::exception& bug) {
    return Internal("a transaction threw: ", bug.what());
  }
}

BatchWriter::BatchWriter(Connect connect)
    : connect_(std::move(connect)), name_(RandomToken()) {}

void BatchWriter::Run(std::span<Job> jobs) {
  std::size_t limit = kNoLimit;
  setbacks_ = 0;
  while (!jobs.empty()) {
    const Expected<Ended> ended = Try(jobs, limit);
    const std::size_t decided = ended ? ended->decided : jobs.size();
    for (Job& job : jobs.first(decided)) {
      if (!ended) job.status = std::unexpected(ended.error());
      job.done(std::move(job.status));
    }
    jobs = jobs.subspan(decided);
    if (ended) limit = ended->limit;
    if (decided > 0) setbacks_ = 0;
  }
}

Expected<BatchWriter::Ended> BatchWriter::Try(std::span<Job> jobs,
                                              std::size_t limit) {
  ASSAY_ASSIGN_OR_RETURN(PostgresConnection * db, connect_());
  jobs = jobs.first(std::min(limit, jobs.size()));
  const Beside beside = std::ranges::all_of(jobs, &Job::beside)
                            ? Beside::kItsKind
                            : Beside::kNobody;
  if (!BeginWriting(*db, beside)) return GiveUp(*db, jobs.first(1));
  const std::int64_t untouched = db->changes();
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const std::int64_t before = db->changes();
    Job& job = jobs[i];
    job.status = CallJob(job, *db);
    if (db->failure() != Failure::kNone) return GiveUp(*db, jobs.first(i + 1));
    if (job.status || db->changes() == before) continue;
    std::ignore = db->Execute("ROLLBACK");
    if (i == 0) return Ended{1, kNoLimit};
    return Ended{0, i};
  }
  if (db->changes() != untouched) return Commit(*db, jobs);
  if (db->Post("ROLLBACK", {})) std::ignore = db->Send();
  return Ended{jobs.size(), kNoLimit};
}

Expected<BatchWriter::Ended> BatchWriter::Commit(PostgresConnection& db,
                                                 std::span<Job> jobs) {
  ++batch_;
  // Once the server is known to be in the transaction, nobody else can be in
  // one before it has ended: what HasHappened counts on.
  if (db.answered())
    std::ignore = db.Post(kMark, {name_, batch_});
  else
    std::ignore = db.Execute(kMark, {name_, batch_});
  ReachFaultPoint("store.executed");
  if (db.failure() == Failure::kNone && db.Execute("COMMIT")) {
    ReachFaultPoint("store.committed");
    return Ended{jobs.size(), kNoLimit};
  }
  if (db.failure() != Failure::kLost) return GiveUp(db, jobs);
  // The question is asked by a new connection, which takes the place of `db`.
  Error error = db.error();
  ASSAY_ASSIGN_OR_RETURN(const bool happened, HasHappened());
  if (happened) return Ended{jobs.size(), kNoLimit};
  return Again(std::move(error));
}

Expected<BatchWriter::Ended> BatchWriter::Again(Error error) {
  if (++setbacks_ <= kMaxSetbacks) return Ended{0, kNoLimit};
  return std::unexpected(std::move(error));
}

Expected<bool> BatchWriter::HasHappened() {
  Error last;
  for (int i = 0; i < kMaxQuestions; ++i) {
    const auto connected = connect_();
    if (!connected) {
      last = connected.error();
      continue;
    }
    PostgresConnection& db = **connected;
    // The lock waits for the transaction in question, if it goes on.
    if (!BeginWriting(db)) continue;
    const auto found = db.Execute(
        "SELECT COUNT(*) FROM commit_marks WHERE writer = $1 AND batch = $2",
        {name_, batch_});
    if (found && db.Execute("ROLLBACK")) return found->rows.front().Int(0) > 0;
    if (!found) last = found.error();
  }
  return Fail(Code::kUnknown,
              "the store went away in the middle of a commit, and whether that "
              "happened is not known: ",
              last.message);
}

Expected<BatchWriter::Ended> BatchWriter::GiveUp(PostgresConnection& db,
                                                 std::span<Job> jobs) {
  const Failure failure = db.failure();
  const Error error = db.error();
  if (failure != Failure::kLost) std::ignore = db.Execute("ROLLBACK");
  Job& last = jobs.back();
  switch (failure) {
    case Failure::kLost:
    case Failure::kConflict:
      return Again(error);
    case Failure::kStore:
      return std::unexpected(error);
    default:
      break;
  }
  // A statement that was posted may be the one of the job before.
  if (jobs.size() > 1) return Ended{0, jobs.size() - 1};
  if (last.status) last.status = std::unexpected(error);
  return Ended{1, kNoLimit};
}

void BatchWriter::Leave() {
  if (batch_ == 0) return;
  if (const auto db = connect_())
    std::ignore =
        (*db)->Execute("DELETE FROM commit_marks WHERE writer = $1", {name_});
}

}  // namespace assay::storage
