#ifndef ASSAY_SERVICES_WORKERS_WORKER_SERVICE_H_
#define ASSAY_SERVICES_WORKERS_WORKER_SERVICE_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "assay/v1/worker_service.pb.h"
#include "proto/base/clock.h"
#include "services/rpc/method_registry.h"
#include "services/storage/store.h"
#include "services/storage/tables/workers.h"
#include "services/workers/enrolments.h"

namespace assay::workers {

// An attached worker, as the dispatcher knows it.
struct AttachedWorker {
  std::string name;
  std::int32_t slots = 0;
  std::int32_t busy = 0;
  // 0 unless it is off by more than two seconds.
  std::chrono::microseconds clock_ahead{0};
};

struct WorkerParts {
  // Several processes may have one name.
  std::function<std::vector<AttachedWorker>()> attached;
  // A worker's state has changed, durably.
  std::function<void(const storage::WorkerRecord&)> on_changed;
  // Null where no TLS is spoken: nobody can be enrolled here, and any worker's
  // certificates be revoked.
  Enrolments* enrolments = nullptr;
  // A worker's certificates have been revoked, durably.
  std::function<boost::asio::awaitable<void>(std::string name)> on_revoked;
};

// One change by a person, in the audit log.
struct WorkerChange {
  v1::Worker::State state = v1::Worker::STATE_UNSPECIFIED;
  std::string action;
  std::string reason;
  std::string actor;
};

// assay.v1.WorkerService.
//
// Ownership: borrows store and clock.
// Threads: confined to the coordinator's strand.
class WorkerService {
 public:
  WorkerService(storage::Store& store, const Clock& clock, WorkerParts parts);
  void Register(rpc::MethodRegistry& registry);

 private:
  rpc::Async<v1::ListWorkersResponse> List(rpc::CallContext context,
                                           v1::ListWorkersRequest request);
  rpc::Async<v1::DrainWorkerResponse> Drain(rpc::CallContext context,
                                            v1::DrainWorkerRequest request);
  rpc::Async<v1::ResumeWorkerResponse> Resume(rpc::CallContext context,
                                              v1::ResumeWorkerRequest request);
  rpc::Async<v1::ForgetWorkerResponse> Forget(rpc::CallContext context,
                                              v1::ForgetWorkerRequest request);
  // Changes a worker, and tells whoever gives out runs.
  rpc::Async<v1::Worker> Apply(std::string name, WorkerChange change);
  rpc::Async<v1::PermitEnrolmentResponse> Permit(
      rpc::CallContext context, v1::PermitEnrolmentRequest request);
  rpc::Async<v1::EnrolWorkerResponse> Enrol(rpc::CallContext context,
                                            v1::EnrolWorkerRequest request);
  rpc::Async<v1::RevokeWorkerResponse> Revoke(rpc::CallContext context,
                                              v1::RevokeWorkerRequest request);
  v1::Worker ToProto(const storage::WorkerRecord& record) const;

  storage::Store& store_;
  const Clock& clock_;
  const WorkerParts parts_;
};

}  // namespace assay::workers

#endif  // ASSAY_SERVICES_WORKERS_WORKER_SERVICE_H_
