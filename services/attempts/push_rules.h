#ifndef ASSAY_SERVICES_ATTEMPTS_PUSH_RULES_H_
#define ASSAY_SERVICES_ATTEMPTS_PUSH_RULES_H_

#include <string>

#include "assay/v1/assignment.pb.h"
#include "services/attempts/push_recorder.h"
#include "services/storage/tables/attempts.h"

namespace assay::attempts {

// Whether an attempt's history may be rewritten: by its assignment's policy,
// which the author's own solution is not held to.
bool MayRewrite(const storage::AttemptRecord& attempt,
                const v1::AssignmentSpec& spec);

struct PushDecision {
  bool late = false;
  // What to tell the candidate; empty: the ref may move.
  std::string refusal;
};

// Whether a ref may move: by the attempt's state, its clock at the receive
// time, the ref's name and the author's policies. Pure.
PushDecision DecidePush(const storage::AttemptRecord& attempt,
                        const v1::AssignmentSpec& spec,
                        const PushIntent& intent);

}  // namespace assay::attempts

#endif  // ASSAY_SERVICES_ATTEMPTS_PUSH_RULES_H_
