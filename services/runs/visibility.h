#ifndef ASSAY_SERVICES_RUNS_VISIBILITY_H_
#define ASSAY_SERVICES_RUNS_VISIBILITY_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "assay/plan/v1/plan.pb.h"
#include "assay/v1/check.pb.h"
#include "assay/v1/run.pb.h"

namespace assay::runs {

// How far an attempt has come: what may be revealed depends on it.
struct Progress {
  // The deadline has passed and the attempt is frozen.
  bool submitted = false;
  // Somebody decided on it.
  bool decided = false;
};

// What a candidate may see of a run: everything of public checks, and of
// hidden ones as much as the author reveals, from the moment they chose.
//
// A check that the plan does not know is hidden and never revealed.
class Visibility {
 public:
  Visibility(const plan::v1::Plan& plan, Progress progress);

  // Nothing left: the result stays hidden.
  std::optional<v1::CheckResult> Redact(v1::CheckResult result) const;
  std::optional<v1::RunEvent> Redact(v1::RunEvent event) const;
  // Also replaces the score by that of the visible results, since the whole
  // score would tell what the hidden ones are worth.
  v1::Run Redact(v1::Run run) const;

 private:
  enum class Level { kNothing, kTitle, kResult, kFull };

  static Level LevelOf(const plan::v1::Check& check, Progress progress);
  Level Of(std::string_view check) const;
  bool MayRead(const v1::RunEvent::Log& log) const;
  bool MayKnowReason(v1::Run::Outcome outcome) const;

  std::map<std::string, Level, std::less<>> levels_;  // by check
  // The checks whose verdicts are visible, for the score.
  plan::v1::Plan scored_;
  bool everything_ = true;
};

}  // namespace assay::runs

#endif  // ASSAY_SERVICES_RUNS_VISIBILITY_H_
