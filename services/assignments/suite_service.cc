#include "services/assignments/suite_service.h"

#include <utility>

#include "services/assignments/spec.h"
#include "services/rpc/register_method.h"
#include "services/rpc/resource_name.h"

namespace assay::assignments {

using storage::Transaction;

SuiteService::SuiteService(storage::Store& store, storage::BlobStore& blobs,
                           Check check)
    : store_(store), blobs_(blobs), check_(std::move(check)) {}

void SuiteService::Register(rpc::MethodRegistry& registry) {
  const std::string service = "assay.v1.SuiteService/";
  rpc::Register(registry, service + "CheckSuite", this,
                &SuiteService::CheckSuite);
  rpc::Register(registry, service + "GetSuite", this, &SuiteService::GetSuite);
}

rpc::Async<v1::CheckSuiteResponse> SuiteService::CheckSuite(
    rpc::CallContext context, v1::CheckSuiteRequest request) {
  const auto problems = TreeProblems("suite", request.suite());
  if (problems.empty()) co_return check_(request.suite());
  v1::CheckSuiteResponse response;
  for (const std::string& problem : problems)
    response.add_problems()->set_message(problem);
  co_return response;
}

rpc::Async<v1::GetSuiteResponse> SuiteService::GetSuite(
    rpc::CallContext context, v1::GetSuiteRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const AssignmentId id,
      rpc::ParseName<AssignmentId>("assignments", request.name()));
  ASSAY_CO_ASSIGN_OR_RETURN(
      const storage::AssignmentRecord record,
      co_await store_.Read([id, version = request.version()](Transaction& tx) {
        return tx.assignments.Get(id, version);
      }));
  ASSAY_CO_ASSIGN_OR_RETURN(const std::string bytes,
                            co_await blobs_.Get(record.suite_digest));
  v1::GetSuiteResponse response;
  if (!response.mutable_suite()->ParseFromString(bytes))
    co_return Internal("the stored suite of ", request.name(),
                       " is damaged: restore it from a backup");
  response.set_version(record.version);
  co_return response;
}

}  // namespace assay::assignments
