#ifndef ASSAY_SERVICES_ASSIGNMENTS_ASSIGNMENT_SERVICE_H_
#define ASSAY_SERVICES_ASSIGNMENTS_ASSIGNMENT_SERVICE_H_

#include <functional>
#include <string>
#include <vector>

#include "assay/plan/v1/plan.pb.h"
#include "assay/v1/assignment_service.pb.h"
#include "assay/v1/file_tree.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "services/rpc/method_registry.h"
#include "services/storage/blobs/blob_store.h"
#include "services/storage/store.h"

namespace assay::assignments {

using rpc::Async;

// A suite that was compiled, as it is stored.
struct CompiledSuite {
  plan::v1::Plan plan;
  // What the plan is known by: the SHA-256 of these bytes.
  std::string bytes;
};

// What the service needs from elsewhere.
struct AssignmentParts {
  // Compiles a suite; kInvalidArgument lists each mistake on a line. See
  // CompileWithRunnerSuite.
  std::function<Expected<CompiledSuite>(const v1::FileTree&)> compile;
  // Stores a template as one root commit and answers with it (the
  // repositories' CreateTemplate).
  std::function<Async<std::string>(v1::FileTree)> create_template;
  // An assignment was made or has a new version.
  std::function<void()> on_changed;
};

// assay.v1.AssignmentService.
//
// Ownership: borrows store, blobs and clock.
// Threads: confined to the coordinator's strand.
class AssignmentService {
 public:
  AssignmentService(storage::Store& store, storage::BlobStore& blobs,
                    const Clock& clock, AssignmentParts parts);
  void Register(rpc::MethodRegistry& registry);

 private:
  Async<v1::CreateAssignmentResponse> Create(
      rpc::CallContext context, v1::CreateAssignmentRequest request);
  Async<v1::UpdateAssignmentResponse> Update(
      rpc::CallContext context, v1::UpdateAssignmentRequest request);
  Async<v1::GetAssignmentResponse> Get(rpc::CallContext context,
                                       v1::GetAssignmentRequest request);
  Async<v1::ListAssignmentsResponse> List(rpc::CallContext context,
                                          v1::ListAssignmentsRequest request);

  // Checks and stores the parts of a version that are given; the record keeps
  // what it has where one is absent (null).
  Async<storage::AssignmentRecord> Prepare(storage::AssignmentRecord record,
                                           const v1::FileTree* template_files,
                                           const v1::FileTree* suite,
                                           std::vector<std::string> problems);

  // What the two methods that write a version do differently.
  struct Change {
    const char* method;
    const char* action;
    Status (storage::AssignmentTable::*write)(const storage::AssignmentRecord&);
  };
  // Writes the version and answers with it, for Create and Update.
  template <class Response, class Request>
  Async<Response> Keep(rpc::CallContext context, Request request,
                       storage::AssignmentRecord record, Change change);

  storage::Store& store_;
  storage::BlobStore& blobs_;
  const Clock& clock_;
  const AssignmentParts parts_;
};

}  // namespace assay::assignments

#endif  // ASSAY_SERVICES_ASSIGNMENTS_ASSIGNMENT_SERVICE_H_
