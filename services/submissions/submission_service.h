#ifndef ASSAY_SERVICES_SUBMISSIONS_SUBMISSION_SERVICE_H_
#define ASSAY_SERVICES_SUBMISSIONS_SUBMISSION_SERVICE_H_

#include <string>

#include "assay/v1/submission_service.pb.h"
#include "proto/base/clock.h"
#include "services/rpc/method_registry.h"
#include "services/runs/run_feed.h"
#include "services/storage/store.h"
#include "services/submissions/submission_refs.h"

namespace assay::submissions {

// assay.v1.SubmissionService.
//
// Ownership: borrows all that it is made of.
// Threads: confined to the coordinator's strand.
class SubmissionService {
 public:
  // A candidate's hand-ins that one attempt may have: each costs a final run.
  static constexpr int kMaxSubmissions = 100;

  // `graded_ref` is the branch whose tip is handed in by default.
  SubmissionService(storage::Store& store, runs::RunFeed& feed,
                    SubmissionRefs& refs, const Clock& clock,
                    std::string graded_ref);
  void Register(rpc::MethodRegistry& registry);

 private:
  rpc::Async<v1::CreateSubmissionResponse> Create(
      rpc::CallContext context, v1::CreateSubmissionRequest request);
  rpc::Async<v1::ListSubmissionsResponse> List(
      rpc::CallContext context, v1::ListSubmissionsRequest request);

  storage::Store& store_;
  runs::RunFeed& feed_;
  SubmissionRefs& refs_;
  const Clock& clock_;
  const std::string graded_ref_;
};

}  // namespace assay::submissions

#endif  // ASSAY_SERVICES_SUBMISSIONS_SUBMISSION_SERVICE_H_
