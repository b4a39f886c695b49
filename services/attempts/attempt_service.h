#ifndef ASSAY_SERVICES_ATTEMPTS_ATTEMPT_SERVICE_H_
#define ASSAY_SERVICES_ATTEMPTS_ATTEMPT_SERVICE_H_

#include <functional>
#include <string>

#include "assay/v1/attempt_service.pb.h"
#include "assay/v1/file_tree.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/identity/identity.h"
#include "services/rpc/method_registry.h"
#include "services/runs/run_feed.h"
#include "services/storage/store.h"

namespace assay::attempts {

using rpc::Async;

// What the service needs from elsewhere.
struct AttemptParts {
  // Makes the repository with `main` at the template's commit; may be repeated
  // (the repositories' CreateRepository).
  std::function<Async<void>(RepositoryId, std::string template_commit)>
      create_repository;
  // Repositories::CreateTemplate, for the trial repository.
  std::function<Async<std::string>(v1::FileTree)> create_template = {};
  // Tells who watches an attempt that it has changed; absent: nobody does.
  runs::RunFeed* feed = nullptr;
  // Called after the commit that moved a clock: the deadline's wake-up.
  std::function<void()> on_clock_changed;
  // This node: the home of the repositories that are made here.
  std::string node = {};
  // What clone lines begin with: "https://assay.example.org".
  std::string base_url;
};

// assay.v1.AttemptService, but for what changes clocks (ClockService) and what
// reads or removes all that is kept (RecordsService).
//
// Ownership: borrows store, identity and clock.
// Threads: confined to the coordinator's strand.
class AttemptService {
 public:
  AttemptService(storage::Store& store, identity::Identity& identity,
                 const Clock& clock, AttemptParts parts);
  void Register(rpc::MethodRegistry& registry);

 private:
  Async<v1::GetAttemptResponse> Get(rpc::CallContext context,
                                    v1::GetAttemptRequest request);
  Async<v1::ListAttemptsResponse> List(rpc::CallContext context,
                                       v1::ListAttemptsRequest request);
  Async<v1::StartAttemptResponse> Start(rpc::CallContext context,
                                        v1::StartAttemptRequest request);
  Async<v1::CreateGitTokenResponse> CreateGitToken(
      rpc::CallContext context, v1::CreateGitTokenRequest request);
  Async<void> Watch(rpc::CallContext context, v1::WatchAttemptRequest request,
                    rpc::StreamWriter<v1::WatchAttemptResponse> writer);
  Async<v1::CreateTrialTokenResponse> CreateTrialToken(
      rpc::CallContext context, v1::CreateTrialTokenRequest request);
  Async<v1::ListPushesResponse> ListPushes(rpc::CallContext context,
                                           v1::ListPushesRequest request);

  storage::Store& store_;
  identity::Identity& identity_;
  const Clock& clock_;
  const AttemptParts parts_;
  // Whether the trial repository is there.
  bool trial_made_ = false;
};

}  // namespace assay::attempts

#endif  // ASSAY_SERVICES_ATTEMPTS_ATTEMPT_SERVICE_H_
