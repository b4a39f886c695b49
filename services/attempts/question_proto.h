#ifndef ASSAY_SERVICES_ATTEMPTS_QUESTION_PROTO_H_
#define ASSAY_SERVICES_ATTEMPTS_QUESTION_PROTO_H_

#include "assay/v1/question.pb.h"
#include "services/rpc/method_registry.h"
#include "services/storage/tables/questions.h"

namespace assay::attempts {

// The question as `caller` may see it: authors do not learn who asked, nor
// candidates who else did.
v1::Question ToProto(const storage::QuestionRecord& question,
                     const rpc::Caller& caller);

}  // namespace assay::attempts

#endif  // ASSAY_SERVICES_ATTEMPTS_QUESTION_PROTO_H_
