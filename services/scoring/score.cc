#include "services/scoring/score.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>

namespace assay::scoring {
namespace {

double Cap(const plan::v1::Check& check) {
  return check.cap() > 0 ? std::min(check.cap(), check.points())
                         : check.points();
}

bool Unjudged(const v1::CheckResult& result) {
  return result.verdict() == v1::VERDICT_ERRORED ||
         result.verdict() == v1::VERDICT_INCONCLUSIVE;
}

// Sums of decimal points: 0.1 + 0.2 must not be shown as 0.30000000000000004.
double Rounded(double points) { return std::round(points * 1e6) / 1e6; }

}  // namespace

double Earned(const plan::v1::Check& check, const v1::CheckResult& result) {
  if (check.claimed() || Unjudged(result)) return 0;
  if (result.verdict() == v1::VERDICT_PASSED) return Cap(check);
  if (!check.partial() && !check.partial_by_step()) return 0;
  if (!std::isfinite(result.earned())) return 0;
  return std::clamp(result.earned(), 0.0, Cap(check));
}

v1::Score Compute(const plan::v1::Plan& plan,
                  std::span<const v1::CheckResult> results, Scope scope) {
  std::unordered_map<std::string_view, const v1::CheckResult*> by_check;
  for (const v1::CheckResult& result : results)
    by_check.emplace(result.check_id(), &result);

  double earned = 0;
  double max = 0;
  double bonus = 0;
  double unjudged = 0;
  for (const plan::v1::Check& check : plan.checks()) {
    if (check.claimed() || (scope == Scope::kPublic && check.hidden()))
      continue;
    const auto it = by_check.find(check.id());
    const v1::CheckResult* result = it == by_check.end() ? nullptr : it->second;
    const double points = result == nullptr ? 0 : Earned(check, *result);
    if (check.bonus()) {
      bonus += points;
    } else if (result != nullptr && Unjudged(*result)) {
      unjudged += Cap(check);
    } else {
      earned += points;
      max += Cap(check);
    }
  }
  v1::Score score;
  score.set_earned(Rounded(earned));
  score.set_max(Rounded(max));
  score.set_bonus(Rounded(bonus));
  score.set_unjudged(Rounded(unjudged));
  return score;
}

}  // namespace assay::scoring
