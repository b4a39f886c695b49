#ifndef ASSAY_TESTS_SERVICES_STORAGE_RUNS_FIXTURE_H_
#define ASSAY_TESTS_SERVICES_STORAGE_RUNS_FIXTURE_H_

#include <string>
#include <vector>

#include "tests/services/storage/store_conformance.h"

namespace assay::storage {

inline v1::RunEvent PhaseEvent(const std::string& phase) {
  v1::RunEvent event;
  event.mutable_phase_started()->set_phase(phase);
  return event;
}

inline v1::RunEvent ResultEvent(const std::string& check, v1::Verdict verdict) {
  v1::RunEvent event;
  event.mutable_check_finished()->mutable_result()->set_check_id(check);
  event.mutable_check_finished()->mutable_result()->set_verdict(verdict);
  return event;
}

inline v1::RunEvent LogEvent(const std::string& text) {
  v1::RunEvent event;
  event.mutable_log()->set_stream("build");
  event.mutable_log()->set_content(text);
  return event;
}

class RunsTest : public StoreConformanceTest {
 protected:
  Expected<AppendResult> Append(const RunId& run, std::uint64_t epoch,
                                std::int64_t first,
                                std::vector<v1::RunEvent> events) {
    return Write([=](Transaction& tx) {
      return tx.run_events.Append(run, epoch, first, events);
    });
  }
  Expected<RunChange> HandBack(const RunRecord& run, bool fault = true) {
    return Write([run, fault, now = clock_.Now()](Transaction& tx) {
      return tx.runs.HandBack(run.id, run.epoch, now, "worker died", fault);
    });
  }
  Expected<RunChange> Finish(
      const RunRecord& run,
      v1::Run::Outcome outcome = v1::Run::OUTCOME_COMPLETED) {
    return Write([run, outcome, now = clock_.Now()](Transaction& tx) {
      v1::Score score;
      score.set_earned(5);
      return tx.runs.Finish(run.id, run.epoch, now, outcome, "", score);
    });
  }
  Expected<std::vector<RunChange>> Expire() {
    return Write([now = clock_.Now()](Transaction& tx) {
      return tx.runs.ExpireLeases(now);
    });
  }
  // The sequences and state names of all that happened in a run.
  std::vector<v1::RunEvent> Events(const RunId& run) {
    return Read([run](Transaction& tx) {
             return tx.run_events.List(run, 0, 1'000, false);
           })
        .value();
  }
};

}  // namespace assay::storage

#endif  // ASSAY_TESTS_SERVICES_STORAGE_RUNS_FIXTURE_H_
