#include "services/cli/run_recorder.h"

#include <set>
#include <vector>

#include "runner/suite/compiler.h"
#include "services/scoring/score.h"

namespace assay::cli {
namespace {

double Between(const google::protobuf::Timestamp& from,
               const google::protobuf::Timestamp& to) {
  return static_cast<double>(to.seconds() - from.seconds()) +
         static_cast<double>(to.nanos() - from.nanos()) * 1e-9;
}

// Of the checks that have a result: with `--check` the others are not lost.
v1::Score ScoreOf(const plan::v1::Plan& plan, const v1::Run& run) {
  std::set<std::string> judged;
  for (const auto& result : run.checks()) judged.insert(result.check_id());
  plan::v1::Plan part;
  for (const auto& check : plan.checks()) {
    if (judged.contains(check.id())) *part.add_checks() = check;
  }
  const std::vector<v1::CheckResult> results(run.checks().begin(),
                                             run.checks().end());
  return scoring::Compute(part, results, scoring::Scope::kAll);
}

}  // namespace

RunRecorder::RunRecorder(const plan::v1::Plan& plan) : plan_(plan) {
  report_.title = plan.name();
  report_.run.set_plan_digest(suite::PlanDigest(plan));
  report_.spans.emplace_back().add_scope_spans();
}

void RunRecorder::OnEvent(const v1::RunEvent& event) {
  v1::Run& run = report_.run;
  if (!run.has_start_time()) *run.mutable_start_time() = event.time();
  switch (event.event_case()) {
    case v1::RunEvent::kPhaseStarted:
      phase_start_.try_emplace(event.phase_started().phase(), event.time());
      return;
    case v1::RunEvent::kPhaseFinished:
      return OnPhaseFinished(event);
    case v1::RunEvent::kCheckFinished:
      *run.add_checks() = event.check_finished().result();
      return;
    case v1::RunEvent::kSpans:
      report_.spans[0].mutable_scope_spans(0)->mutable_spans()->MergeFrom(
          event.spans().spans());
      return;
    case v1::RunEvent::kFinished:
      return OnFinished(event);
    default:
      return;
  }
}

void RunRecorder::OnPhaseFinished(const v1::RunEvent& event) {
  const auto& finished = event.phase_finished();
  const auto start = phase_start_.find(finished.phase());
  report_.phases.push_back(
      {.name = finished.phase(),
       .ok = finished.ok(),
       .reason = finished.reason(),
       .seconds = start == phase_start_.end()
                      ? 0
                      : Between(start->second, event.time())});
}

void RunRecorder::OnFinished(const v1::RunEvent& event) {
  v1::Run& run = report_.run;
  run.set_state(v1::Run::STATE_FINISHED);
  run.set_outcome(event.finished().outcome());
  run.set_outcome_reason(event.finished().reason());
  *run.mutable_finish_time() = event.time();
  *run.mutable_score() = ScoreOf(plan_, run);
}

}  // namespace assay::cli
