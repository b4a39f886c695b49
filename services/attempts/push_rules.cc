#include "services/attempts/push_rules.h"

#include <string_view>

#include "services/attempts/clock.h"
#include "services/attempts/time_text.h"

namespace assay::attempts {
namespace {

constexpr std::string_view kBranches = "refs/heads/";
constexpr std::string_view kTags = "refs/tags/";
constexpr std::size_t kLongestRef = 255;

// Empty and all zeros both say that there is no commit.
bool IsNone(const std::string& commit) {
  return commit.find_first_not_of('0') == std::string::npos;
}

// Why a ref of this name may not move in this way; empty when it may.
std::string RefRefusal(const PushIntent& intent, const v1::AssignmentSpec& spec,
                       bool may_rewrite) {
  const bool tag = intent.ref.starts_with(kTags) && spec.allow_tags();
  if (!tag && (!intent.ref.starts_with(kBranches) ||
               intent.ref.size() == kBranches.size()))
    return "only branches can be pushed, found " + intent.ref + "; push to " +
           std::string(kGradedRef);
  if (intent.ref.size() > kLongestRef)
    return "a branch name may have up to " + std::to_string(kLongestRef) +
           " bytes";
  if (IsNone(intent.new_commit))
    return "branches cannot be deleted: what was pushed is kept";
  if (!intent.fast_forward && !may_rewrite)
    return "this would rewrite history, which this assignment does not allow; "
           "pull or merge first, then push without --force";
  return {};
}

}  // namespace

bool MayRewrite(const storage::AttemptRecord& attempt,
                const v1::AssignmentSpec& spec) {
  return attempt.reference || spec.allow_force_push();
}

PushDecision DecidePush(const storage::AttemptRecord& attempt,
                        const v1::AssignmentSpec& spec,
                        const PushIntent& intent) {
  PushDecision decision;
  if (attempt.state == v1::Attempt::STATE_ACCEPTED) {
    decision.refusal = "the attempt has not started; start it first";
    return decision;
  }
  decision.refusal = RefRefusal(intent, spec, MayRewrite(attempt, spec));
  decision.late = IsLate(attempt.clock, intent.receive_time);
  const bool kept =
      spec.late_policy() == v1::AssignmentSpec::LATE_POLICY_LATE ||
      spec.late_policy() == v1::AssignmentSpec::LATE_POLICY_PRACTICE;
  if (decision.refusal.empty() && decision.late && !kept)
    decision.refusal = "too late: received " + TimeText(intent.receive_time) +
                       ", the cut-off was " +
                       TimeText(*attempt.clock.cut_off_time) +
                       "; what you pushed before it was handed in";
  return decision;
}

}  // namespace assay::attempts
