#include "tests/services/storage/store_conformance.h"

#include <stdexcept>

#include "services/storage/sqlite/sqlite_store.h"
#include "tests/services/storage/postgres_schema.h"

namespace assay::storage {

std::vector<StoreKind> StoreKinds() {
  std::vector<StoreKind> kinds = {
      {"Sqlite", [](const std::filesystem::path& directory) {
         return OpenSqlite(directory / "store.db");
       }}};
  if (HavePostgres())
    kinds.push_back({"Postgres", [](const std::filesystem::path& directory) {
                       return OpenPostgres(SchemaFor(directory));
                     }});
  return kinds;
}

StoreConformanceTest::StoreConformanceTest() {
  Reopen();
  const Status filled = Write([](Transaction& tx) -> Status {
    ASSAY_RETURN_IF_ERROR(tx.assignments.Create(SomeAssignment()));
    return tx.attempts.Create(SomeAttempt());
  });
  if (!filled) throw std::runtime_error(filled.error().message);
}

void StoreConformanceTest::Reopen() {
  store_.reset();
  auto opened = GetParam().open(directory_.path());
  if (!opened) throw std::runtime_error(opened.error().message);
  store_ = *std::move(opened);
}

AssignmentRecord StoreConformanceTest::SomeAssignment() {
  AssignmentRecord record;
  record.id = AssignmentId("orders");
  record.spec.set_title("Orders");
  record.template_commit = std::string(40, 'a');
  record.plan_digest = std::string(64, 'b');
  record.max_points = 100;
  record.check_count = 3;
  record.create_time = record.update_time =
      FromMicros(testing::ManualClock::kStartMicros);
  return record;
}

AttemptRecord StoreConformanceTest::SomeAttempt() {
  AttemptRecord record;
  record.id = AttemptId("att_1");
  record.assignment = AssignmentId("orders");
  record.assignment_version = 1;
  record.state = v1::Attempt::STATE_STARTED;
  record.repository = RepositoryId("rep_1");
  record.create_time = FromMicros(testing::ManualClock::kStartMicros);
  return record;
}

RunRecord StoreConformanceTest::NewRun(v1::Run::Kind kind) {
  RunRecord run;
  run.id = RunId("run_" + std::to_string(++runs_));
  run.attempt = AttemptId("att_1");
  run.assignment = AssignmentId("orders");
  run.assignment_version = 1;
  run.kind = kind;
  run.commit = std::string(40, 'c');
  run.plan_digest = std::string(64, 'b');
  run.trace_id = std::string(32, 'd');
  // Above what a signed number holds.
  run.seed = 0xfedcba9876543210ULL;
  run.queue_time = clock_.Now();
  clock_.Advance(std::chrono::microseconds(1));
  return run;
}

RunId StoreConformanceTest::Enqueue(v1::Run::Kind kind) {
  const RunRecord run = NewRun(kind);
  EXPECT_THAT(Write([run](Transaction& tx) { return tx.runs.Enqueue(run); }),
              testing::IsOk());
  return run.id;
}

RunRecord StoreConformanceTest::Get(const RunId& run) {
  return Read([run](Transaction& tx) { return tx.runs.Get(run); }).value();
}

std::optional<RunRecord> StoreConformanceTest::Take(const std::string& worker) {
  using Taken = std::optional<RunChange>;
  const auto change =
      Write([worker, now = clock_.Now()](Transaction& tx) -> Expected<Taken> {
        ASSAY_ASSIGN_OR_RETURN(const auto heads, tx.queue.ListHeads());
        if (heads.empty()) return std::nullopt;
        return tx.runs.Lease(heads.front().run, WorkerId(worker), now, kTtl);
      }).value();
  if (!change) return std::nullopt;
  return change->run;
}

}  // namespace assay::storage
