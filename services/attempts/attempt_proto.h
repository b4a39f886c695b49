#ifndef ASSAY_SERVICES_ATTEMPTS_ATTEMPT_PROTO_H_
#define ASSAY_SERVICES_ATTEMPTS_ATTEMPT_PROTO_H_

#include <string>

#include "assay/v1/attempt.pb.h"
#include "assay/v1/invitation.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/rpc/method_registry.h"
#include "services/storage/transaction.h"

namespace assay::attempts {

// "attempts/{attempt}", or "attempts/me" for a candidate, to the id.
// kNotFound: a candidate asks for an attempt that is not theirs, whether it
// exists or not.
Expected<AttemptId> ResolveAttempt(const rpc::Caller& caller,
                                   const std::string& name);

// The attempt as `caller` may see it. Reviewers are blind: they do not learn
// who the candidate is.
Expected<v1::Attempt> ShowAttempt(storage::Transaction& tx,
                                  const storage::AttemptRecord& attempt,
                                  const rpc::Caller& caller,
                                  const std::string& base_url);

// `{base_url}/git/{repository}.git`
std::string CloneUrl(const std::string& base_url, const RepositoryId& id);

// The same id for each try to make an attempt's repository, so that a try that
// was cut off leaves nothing behind that the next one does not take over.
RepositoryId RepositoryOf(const AttemptId& attempt);

// kFailedPrecondition for the attempt of the author's solution: nothing that
// ends with a judgement of somebody is done to it.
Status CheckIsOfCandidate(const storage::AttemptRecord& attempt);

v1::Push ToProto(const storage::PushRecord& push);

// `now` tells whether a pending invitation has expired.
v1::Invitation ToProto(const storage::InvitationRecord& invitation,
                       Clock::TimePoint now);

}  // namespace assay::attempts

#endif  // ASSAY_SERVICES_ATTEMPTS_ATTEMPT_PROTO_H_
