#ifndef ASSAY_SERVICES_ATTEMPTS_SOURCE_SERVICE_H_
#define ASSAY_SERVICES_ATTEMPTS_SOURCE_SERVICE_H_

#include <functional>
#include <string>
#include <vector>

#include "assay/v1/source_service.pb.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/repositories/records.h"
#include "services/rpc/method_registry.h"
#include "services/storage/store.h"

namespace assay::attempts {

using rpc::Async;

// What reads the repositories: their ReadDiff, ReadHistory and ReadNotes.
struct SourceParts {
  std::function<Async<repositories::Diff>(RepositoryId, std::string old_commit,
                                          std::string new_commit)>
      read_diff;
  std::function<Async<std::vector<repositories::CommitInfo>>(
      RepositoryId, std::string commit, int limit)>
      read_history;
  std::function<Async<std::vector<repositories::Note>>(
      RepositoryId, std::string template_commit, std::string commit)>
      read_notes;
};

// assay.v1.SourceService.
//
// Ownership: borrows the store. Threads: confined to the coordinator's strand.
class SourceService {
 public:
  SourceService(storage::Store& store, SourceParts parts);
  void Register(rpc::MethodRegistry& registry);

 private:
  // Where an attempt's code is, and what it began as.
  struct Source {
    RepositoryId repository;
    std::string template_commit;
  };
  Async<Source> Find(rpc::Caller caller, std::string attempt);
  Async<v1::GetDiffResponse> GetDiff(rpc::CallContext context,
                                     v1::GetDiffRequest request);
  Async<v1::ListCommitsResponse> ListCommits(rpc::CallContext context,
                                             v1::ListCommitsRequest request);
  Async<v1::ListNotesResponse> ListNotes(rpc::CallContext context,
                                         v1::ListNotesRequest request);

  storage::Store& store_;
  const SourceParts parts_;
};

}  // namespace assay::attempts

#endif  // ASSAY_SERVICES_ATTEMPTS_SOURCE_SERVICE_H_
