// How many runs a second are leased and get their verdict: the way the
// dispatcher does it (RunQueue over a store), and as bare SQL on the same
// store.
//
//   store_bench sqlite DIRECTORY QUEUED COUNT ENDED
//   store_bench postgres DSN QUEUED COUNT ENDED
//   store_bench pair DSN QUEUED COUNT ENDED
//
// Puts ENDED runs into the history, keeps QUEUED runs waiting behind those that
// are measured, and takes turns: COUNT runs by 16 clients of the store, COUNT
// as bare SQL, three times. Prints "OURS BARE", the medians. `pair`: two
// coordinators' stores on one database, beside one with as many clients; prints
// "PAIR ONE".

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "assay/plan/v1/plan.pb.h"
#include "services/runs/run_queue.h"
#include "services/storage/blobs/local.h"
#include "services/storage/postgres/postgres_store.h"
#include "services/storage/postgres/session.h"
#include "services/storage/sqlite/sqlite_connection.h"
#include "services/storage/sqlite/sqlite_store.h"
#include "tests/bench/dispatch/bare_sql.h"

namespace assay::bench {
namespace {

namespace asio = boost::asio;
using storage::Transaction;

constexpr int kClients = 16;
constexpr int kRounds = 3;

template <class T>
T Must(Expected<T> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "store_bench: %s\n", result.error().message.c_str());
  std::exit(1);
}
void Must(const Status& status) {
  if (status) return;
  std::fprintf(stderr, "store_bench: %s\n", status.error().message.c_str());
  std::exit(1);
}

class Bench {
 public:
  Bench(std::unique_ptr<storage::Store> store,
        const std::filesystem::path& directory)
      : store_(std::move(store)),
        blobs_(Must(storage::OpenLocalBlobs(directory / "blobs"))) {}

  // In batches: what is measured comes after.
  void Queue(int count) { Await(Fill(this, count)); }

  double Measure(int count, int clients = kClients) {
    left_ = count;
    const auto since = std::chrono::steady_clock::now();
    for (int i = 0; i < clients; ++i) Spawn(Work(this, i));
    Run();
    return count / std::chrono::duration<double>(
                       std::chrono::steady_clock::now() - since)
                       .count();
  }

 private:
  static asio::awaitable<void> Fill(Bench* self, int count) {
    if (self->plan_.empty()) co_await MakeAssignment(self);
    constexpr int kAtOnce = 500;
    for (int done = 0; done < count; done += kAtOnce)
      Must(co_await self->store_->Write(
          [self, done, count](Transaction& tx) -> Status {
            for (int i = done; i < std::min(done + kAtOnce, count); ++i)
              ASSAY_RETURN_IF_ERROR(
                  tx.runs.Enqueue(self->NewRun(self->queued_ + i)));
            return {};
          }));
    self->queued_ += count;
  }

  static asio::awaitable<void> MakeAssignment(Bench* self) {
    plan::v1::Plan plan;
    plan.set_name("bench");
    plan::v1::Check& check = *plan.add_checks();
    check.set_id("one");
    check.set_points(1);
    self->plan_ = Must(co_await self->blobs_->Put(plan.SerializeAsString()));
    storage::AssignmentRecord assignment;
    assignment.id = AssignmentId("bench");
    assignment.plan_digest = self->plan_;
    Must(co_await self->store_->Write([assignment](Transaction& tx) {
      return tx.assignments.Create(assignment);
    }));
  }

  storage::RunRecord NewRun(int number) const {
    storage::RunRecord run;
    run.id = RunId::Random();
    run.attempt = AttemptId("att_" + std::to_string(number));
    run.assignment = AssignmentId("bench");
    run.assignment_version = 1;
    run.kind = v1::Run::KIND_FINAL;
    run.commit = std::string(40, 'c');
    run.plan_digest = plan_;
    run.trace_id = std::string(32, 'd');
    run.queue_time = FromMicros(1'000'000 + number);
    return run;
  }

  static asio::awaitable<void> Work(Bench* self, int number) {
    const WorkerId worker("w" + std::to_string(number));
    while (self->left_-- > 0) {
      const auto run = Must(co_await self->queue_.TakeNext(
          {runs::Room{.worker = worker}}, std::chrono::seconds(10)));
      if (!run) std::exit(1);
      std::vector<v1::RunEvent> events(2);
      v1::CheckResult& result =
          *events[0].mutable_check_finished()->mutable_result();
      result.set_check_id("one");
      result.set_verdict(v1::VERDICT_PASSED);
      events[1].mutable_finished()->set_outcome(v1::Run::OUTCOME_COMPLETED);
      Must(co_await self->queue_.Append(*run, 1, std::move(events)));
    }
  }

  void Spawn(asio::awaitable<void> task) {
    asio::co_spawn(loop_, std::move(task), asio::detached);
  }
  void Run() {
    loop_.restart();
    loop_.run();
  }
  void Await(asio::awaitable<void> task) {
    Spawn(std::move(task));
    Run();
  }

  asio::io_context loop_{1};
  const SystemClock clock_;
  const std::unique_ptr<storage::Store> store_;
  const std::unique_ptr<storage::BlobStore> blobs_;
  runs::PlanCache plans_{*blobs_};
  runs::RunFeed feed_{loop_.get_executor()};
  runs::RunQueue queue_{*store_, plans_, feed_, clock_};
  std::string plan_;
  int queued_ = 0;
  int left_ = 0;
};

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// As many ended runs as a large company has in some years.
void AddHistory(storage::sql::Connection& db, int ended) {
  if (ended == 0) return;
  Must(db.Execute("BEGIN"));
  Must(db.Execute(
      "INSERT INTO runs (id, attempt, assignment, assignment_version, kind, "
      "priority, commit_id, plan_digest, trace_id, seed, push, submission, "
      "queue_time, state, outcome, outcome_reason, start_time, finish_time, "
      "epoch, worker, losses, next_offset, next_sequence, lane) "
      "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL "
      "SELECT n + 1 FROM number WHERE n < " +
      std::to_string(ended) +
      ") SELECT 'old_' || n, 'att_' || (n % 1000), 'bench', 1, 2, 3, "
      "'cccccccccccccccccccccccccccccccccccccccc', 'digest', 'trace', 0, '', "
      "0, n, 3, 1, '', n, n, 1, 'w', 0, 3, 5, 'bench' FROM number"));
  Must(db.Execute("COMMIT"));
}

// As a server stands that has grown them in years: it is not busy with writing
// them any more, and knows how many there are.
void AddOldHistory(storage::sql::Connection& db, int ended) {
  AddHistory(db, ended);
  if (ended == 0) return;
  Must(db.Execute("VACUUM ANALYZE runs"));
  Must(db.Execute("CHECKPOINT"));
}

template <class Bare>
int Compare(Bench& bench, int queued, int count, Bare bare) {
  bench.Queue(queued);
  std::vector<double> ours, floor;
  for (int round = 0; round < kRounds; ++round) {
    bench.Queue(count);
    ours.push_back(bench.Measure(count));
    bench.Queue(count);
    floor.push_back(bare(count));
  }
  std::printf("%.0f %.0f\n", Median(ours), Median(floor));
  return 0;
}

// The same runs by two that share a database, each with half of the clients.
int ComparePair(const storage::PostgresDsn& dsn, const std::string& scratch,
                int queued, int count, int ended) {
  Bench one(Must(storage::OpenPostgres(dsn)), scratch);
  AddOldHistory(*Must(storage::OpenSession(dsn)), ended);
  Bench other(Must(storage::OpenPostgres(dsn)), scratch);
  one.Queue(queued);
  std::vector<double> pair, alone;
  for (int round = 0; round < kRounds; ++round) {
    one.Queue(count);
    alone.push_back(one.Measure(count));
    one.Queue(count);
    const auto since = std::chrono::steady_clock::now();
    std::thread half([&] { other.Measure(count / 2, kClients / 2); });
    one.Measure(count / 2, kClients / 2);
    half.join();
    pair.push_back(count / std::chrono::duration<double>(
                               std::chrono::steady_clock::now() - since)
                               .count());
  }
  std::printf("%.0f %.0f\n", Median(pair), Median(alone));
  return 0;
}

int Main(const std::string& kind, const std::string& place, int queued,
         int count, int ended) {
  if (kind == "sqlite") {
    const std::filesystem::path file =
        std::filesystem::path(place) / "store.db";
    Bench bench(Must(storage::OpenSqlite(file)), place);
    AddHistory(*Must(storage::SqliteConnection::Open(
                   file, storage::SqliteConnection::Access::kWrite)),
               ended);
    return Compare(bench, queued, count,
                   [&](int runs) { return BareSqlite(file, runs); });
  }
  const auto dsn = Must(storage::ParsePostgresDsn(place));
  std::string scratch =
      (std::filesystem::temp_directory_path() / "assay-bench-XXXXXX").string();
  if (mkdtemp(scratch.data()) == nullptr) return 1;
  if (kind == "pair") {
    const int code = ComparePair(dsn, scratch, queued, count, ended);
    std::filesystem::remove_all(scratch);
    return code;
  }
  Bench bench(Must(storage::OpenPostgres(dsn)), scratch);
  AddOldHistory(*Must(storage::OpenSession(dsn)), ended);
  const int code = Compare(bench, queued, count,
                           [&](int runs) { return BarePostgres(dsn, runs); });
  std::filesystem::remove_all(scratch);
  return code;
}

}  // namespace
}  // namespace assay::bench

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr,
                 "usage: store_bench sqlite DIRECTORY QUEUED COUNT ENDED\n"
                 "       store_bench postgres DSN QUEUED COUNT ENDED\n"
                 "       store_bench pair DSN QUEUED COUNT ENDED\n");
    return 2;
  }
  return assay::bench::Main(argv[1], argv[2], std::atoi(argv[3]),
                            std::atoi(argv[4]), std::atoi(argv[5]));
}
