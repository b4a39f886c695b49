#ifndef ASSAY_SERVICES_ATTEMPTS_RECORDS_SERVICE_H_
#define ASSAY_SERVICES_ATTEMPTS_RECORDS_SERVICE_H_

#include <functional>
#include <string>

#include "assay/v1/attempt_service.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "services/rpc/method_registry.h"
#include "services/storage/store.h"

namespace assay::attempts {

using rpc::Async;

// The methods of assay.v1.AttemptService that read or remove all that is kept
// about an attempt, and the rule that removes it by itself.
//
// Ownership: borrows store and clock.
// Threads: confined to the coordinator's strand.
class RecordsService {
 public:
  // Removes a repository from the disk; it is well that it is gone.
  using RemoveRepository = std::function<Async<void>(RepositoryId)>;

  RecordsService(storage::Store& store, const Clock& clock,
                 RemoveRepository remove_repository, std::string base_url);
  void Register(rpc::MethodRegistry& registry);

  // Erases what each assignment's retention says, and answers with how many
  // attempts that were. To be called now and then.
  Async<int> EraseExpired();

 private:
  Async<v1::GetTimelineResponse> GetTimeline(rpc::CallContext context,
                                             v1::GetTimelineRequest request);
  Async<v1::ExportAttemptResponse> Export(rpc::CallContext context,
                                          v1::ExportAttemptRequest request);
  Async<v1::EraseAttemptResponse> Erase(rpc::CallContext context,
                                        v1::EraseAttemptRequest request);

  Async<void> EraseOne(AttemptId id, std::string actor, std::string reason);

  storage::Store& store_;
  const Clock& clock_;
  const RemoveRepository remove_repository_;
  const std::string base_url_;
};

}  // namespace assay::attempts

#endif  // ASSAY_SERVICES_ATTEMPTS_RECORDS_SERVICE_H_
