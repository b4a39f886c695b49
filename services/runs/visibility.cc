#include "services/runs/visibility.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "services/scoring/score.h"

namespace assay::runs {
namespace {

using plan::v1::Check;

// Logs of a check's own program: "check.{id}".
constexpr std::string_view kCheckStream = "check.";

bool Reached(Check::RevealAt when, Progress progress) {
  switch (when) {
    case Check::REVEAL_AT_PUSH:
      return true;
    case Check::REVEAL_AT_DEADLINE:
      return progress.submitted;
    case Check::REVEAL_AT_DECISION:
      return progress.decided;
    default:
      return false;
  }
}

v1::CheckResult TitleOf(const v1::CheckResult& result) {
  v1::CheckResult title;
  title.set_check_id(result.check_id());
  title.set_title(result.title());
  title.set_hidden(result.hidden());
  title.set_bonus(result.bonus());
  return title;
}

}  // namespace

Visibility::Level Visibility::LevelOf(const Check& check, Progress progress) {
  if (!check.hidden()) return Level::kFull;
  if (!Reached(check.reveal_at(), progress)) return Level::kNothing;
  switch (check.reveal()) {
    case Check::REVEAL_TITLE:
      return Level::kTitle;
    case Check::REVEAL_RESULT:
      return Level::kResult;
    case Check::REVEAL_FULL:
      return Level::kFull;
    default:
      return Level::kNothing;
  }
}

Visibility::Visibility(const plan::v1::Plan& plan, Progress progress) {
  for (const Check& check : plan.checks()) {
    const Level level = LevelOf(check, progress);
    levels_[check.id()] = level;
    everything_ = everything_ && level == Level::kFull;
    if (level >= Level::kResult) *scored_.add_checks() = check;
  }
}

Visibility::Level Visibility::Of(std::string_view check) const {
  const auto it = levels_.find(check);
  return it == levels_.end() ? Level::kNothing : it->second;
}

bool Visibility::MayRead(const v1::RunEvent::Log& log) const {
  const std::string_view stream = log.stream();
  if (stream.starts_with(kCheckStream))
    return Of(stream.substr(kCheckStream.size())) == Level::kFull;
  return everything_ || !log.hidden();
}

bool Visibility::MayKnowReason(v1::Run::Outcome outcome) const {
  // Any other reason may speak of a hidden check.
  return everything_ || outcome == v1::Run::OUTCOME_BUILD_FAILED ||
         outcome == v1::Run::OUTCOME_NEVER_READY;
}

std::optional<v1::CheckResult> Visibility::Redact(
    v1::CheckResult result) const {
  switch (Of(result.check_id())) {
    case Level::kNothing:
      return std::nullopt;
    case Level::kTitle:
      return TitleOf(result);
    case Level::kResult: {
      v1::CheckResult shown = TitleOf(result);
      shown.set_verdict(result.verdict());
      shown.set_points(result.points());
      shown.set_earned(result.earned());
      return shown;
    }
    case Level::kFull:
      return result;
  }
  return std::nullopt;
}

std::optional<v1::RunEvent> Visibility::Redact(v1::RunEvent event) const {
  switch (event.event_case()) {
    case v1::RunEvent::kLog:
      if (!MayRead(event.log())) return std::nullopt;
      return event;
    case v1::RunEvent::kCheckStarted:
      if (Of(event.check_started().check_id()) == Level::kNothing)
        return std::nullopt;
      return event;
    case v1::RunEvent::kCheckFinished: {
      auto result =
          Redact(std::move(*event.mutable_check_finished()->mutable_result()));
      if (!result) return std::nullopt;
      *event.mutable_check_finished()->mutable_result() = *std::move(result);
      return event;
    }
    case v1::RunEvent::kPhaseFinished:
      if (!everything_ && event.phase_finished().phase() == "checks")
        event.mutable_phase_finished()->clear_reason();
      return event;
    case v1::RunEvent::kFinished:
      if (!MayKnowReason(event.finished().outcome()))
        event.mutable_finished()->clear_reason();
      return event;
    case v1::RunEvent::kStateChanged:
      if (!everything_) event.mutable_state_changed()->clear_score();
      return event;
    case v1::RunEvent::kPhaseStarted:
    case v1::RunEvent::kGap:
      return event;
    // Spans name what hidden checks ask for. What is added to RunEvent later
    // stays hidden until somebody decides here.
    default:
      return std::nullopt;
  }
}

v1::Run Visibility::Redact(v1::Run run) const {
  if (run.has_score()) {
    const std::vector<v1::CheckResult> results(run.checks().begin(),
                                               run.checks().end());
    *run.mutable_score() = scoring::Compute(scored_, results,
                                            run.kind() == v1::Run::KIND_PUSH
                                                ? scoring::Scope::kPublic
                                                : scoring::Scope::kAll);
  }
  google::protobuf::RepeatedPtrField<v1::CheckResult> shown;
  for (v1::CheckResult& result : *run.mutable_checks())
    if (auto redacted = Redact(std::move(result)))
      *shown.Add() = *std::move(redacted);
  run.mutable_checks()->Swap(&shown);
  if (!MayKnowReason(run.outcome())) run.clear_outcome_reason();
  return run;
}

}  // namespace assay::runs
