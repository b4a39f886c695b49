#include "services/workers/worker_service.h"

#include <algorithm>
#include <map>
#include <utility>

#include "services/rpc/proto_time.h"
#include "services/rpc/register_method.h"
#include "services/rpc/resource_name.h"
#include "services/workers/worker_book.h"

namespace assay::workers {
namespace {

using storage::Transaction;
using storage::WorkerRecord;

constexpr std::size_t kMaxReason = 500;
constexpr std::chrono::hours kPermitted{1};
constexpr std::chrono::hours kLongestPermitted{7 * 24};

Expected<std::string> ParseWorker(const std::string& name) {
  ASSAY_ASSIGN_OR_RETURN(const WorkerId id,
                         rpc::ParseName<WorkerId>("workers", name));
  return id.str();
}

Expected<WorkerRecord> ChangeIn(Transaction& tx, const std::string& name,
                                const WorkerChange& change,
                                Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(WorkerRecord before, tx.workers.Get(name));
  // Whoever drained it first is the one to ask.
  const bool forgives =
      change.state == v1::Worker::STATE_ACTIVE && before.faults > 0;
  if (before.state == change.state && !forgives) return before;
  ASSAY_ASSIGN_OR_RETURN(WorkerRecord after,
                         tx.workers.SetState(name, change.state, change.reason,
                                             change.actor, now));
  ASSAY_RETURN_IF_ERROR(tx.audit.Append({.time = now,
                                         .actor = change.actor,
                                         .action = change.action,
                                         .subject = "workers/" + name,
                                         .detail = change.reason}));
  return after;
}

}  // namespace

WorkerService::WorkerService(storage::Store& store, const Clock& clock,
                             WorkerParts parts)
    : store_(store), clock_(clock), parts_(std::move(parts)) {}

void WorkerService::Register(rpc::MethodRegistry& registry) {
  const std::string service = "assay.v1.WorkerService/";
  rpc::Register(registry, service + "ListWorkers", this, &WorkerService::List);
  rpc::Register(registry, service + "DrainWorker", this, &WorkerService::Drain);
  rpc::Register(registry, service + "ResumeWorker", this,
                &WorkerService::Resume);
  rpc::Register(registry, service + "ForgetWorker", this,
                &WorkerService::Forget);
  rpc::Register(registry, service + "PermitEnrolment", this,
                &WorkerService::Permit);
  rpc::Register(registry, service + "EnrolWorker", this, &WorkerService::Enrol);
  rpc::Register(registry, service + "RevokeWorker", this,
                &WorkerService::Revoke);
}

v1::Worker WorkerService::ToProto(const WorkerRecord& record) const {
  v1::Worker worker;
  worker.set_name("workers/" + record.name);
  worker.set_state(record.state);
  worker.set_reason(record.reason);
  worker.set_actor(record.actor);
  *worker.mutable_state_time() = rpc::ToProto(record.state_time);
  worker.set_version(record.version);
  worker.set_cores(record.cores);
  worker.set_memory_bytes(record.memory_bytes);
  *worker.mutable_attach_time() = rpc::ToProto(record.attach_time);
  worker.set_fault_count(record.faults);
  worker.set_last_fault(record.fault);
  worker.set_pool(record.offer.pool);
  worker.mutable_labels()->insert(record.offer.labels.begin(),
                                  record.offer.labels.end());
  for (const AttachedWorker& attached : parts_.attached()) {
    if (attached.name != record.name) continue;
    worker.set_attached(true);
    worker.set_slots(worker.slots() + attached.slots);
    worker.set_busy(worker.busy() + attached.busy);
    if (attached.clock_ahead.count() != 0)
      *worker.mutable_clock_ahead() = rpc::ToProto(attached.clock_ahead);
  }
  return worker;
}

rpc::Async<v1::ListWorkersResponse> WorkerService::List(
    rpc::CallContext context, v1::ListWorkersRequest request) {
  struct Found {
    std::vector<WorkerRecord> workers;
    std::map<std::string, Clock::TimePoint> expiries;
  };
  ASSAY_CO_ASSIGN_OR_RETURN(
      const Found found,
      co_await store_.Read([](Transaction& tx) -> Expected<Found> {
        Found found;
        ASSAY_ASSIGN_OR_RETURN(found.workers, tx.workers.List());
        ASSAY_ASSIGN_OR_RETURN(found.expiries, tx.enrolments.Expiries());
        return found;
      }));
  v1::ListWorkersResponse response;
  for (const WorkerRecord& record : found.workers) {
    v1::Worker& worker = *response.add_workers() = ToProto(record);
    if (const auto it = found.expiries.find(record.name);
        it != found.expiries.end())
      *worker.mutable_certificate_expire_time() = rpc::ToProto(it->second);
  }
  co_return response;
}

rpc::Async<v1::Worker> WorkerService::Apply(std::string name,
                                            WorkerChange change) {
  ASSAY_CO_ASSIGN_OR_RETURN(const std::string worker, ParseWorker(name));
  ASSAY_CO_ASSIGN_OR_RETURN(
      const WorkerRecord record,
      co_await store_.Write([worker, change = std::move(change),
                             now = clock_.Now()](Transaction& tx) {
        return ChangeIn(tx, worker, change, now);
      }));
  parts_.on_changed(record);
  co_return ToProto(record);
}

rpc::Async<v1::DrainWorkerResponse> WorkerService::Drain(
    rpc::CallContext context, v1::DrainWorkerRequest request) {
  if (request.reason().size() > kMaxReason)
    co_return InvalidArgument("reason has ", request.reason().size(),
                              " bytes, expected at most ", kMaxReason);
  v1::DrainWorkerResponse response;
  ASSAY_CO_ASSIGN_OR_RETURN(
      *response.mutable_worker(),
      co_await Apply(request.name(), {.state = v1::Worker::STATE_DRAINED,
                                      .action = "worker.drain",
                                      .reason = request.reason(),
                                      .actor = context.caller.label}));
  co_return response;
}

rpc::Async<v1::ResumeWorkerResponse> WorkerService::Resume(
    rpc::CallContext context, v1::ResumeWorkerRequest request) {
  v1::ResumeWorkerResponse response;
  ASSAY_CO_ASSIGN_OR_RETURN(
      *response.mutable_worker(),
      co_await Apply(request.name(), {.state = v1::Worker::STATE_ACTIVE,
                                      .action = "worker.resume",
                                      .reason = "",
                                      .actor = context.caller.label}));
  co_return response;
}

rpc::Async<v1::ForgetWorkerResponse> WorkerService::Forget(
    rpc::CallContext context, v1::ForgetWorkerRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(const std::string name,
                            ParseWorker(request.name()));
  const auto attached = parts_.attached();
  if (std::ranges::count(attached, name, &AttachedWorker::name) > 0)
    co_return FailedPrecondition(
        "worker ", name,
        " is attached; stop its assay-runner first, or drain it to give it no "
        "more runs");
  ASSAY_CO_RETURN_IF_ERROR(
      co_await store_.Write([name, actor = context.caller.label,
                             now = clock_.Now()](Transaction& tx) -> Status {
        ASSAY_RETURN_IF_ERROR(tx.workers.Forget(name));
        ASSAY_RETURN_IF_ERROR(tx.enrolments.Revoke(name, now));
        return tx.audit.Append({.time = now,
                                .actor = actor,
                                .action = "worker.forget",
                                .subject = "workers/" + name});
      }));
  co_return v1::ForgetWorkerResponse();
}

rpc::Async<v1::PermitEnrolmentResponse> WorkerService::Permit(
    rpc::CallContext context, v1::PermitEnrolmentRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(const std::string name,
                            ParseWorker(request.name()));
  if (!IsWorkerName(name))
    co_return InvalidArgument("\"", name.substr(0, 100),
                              "\" is no worker's name: expected 1 to 63 of "
                              "[A-Za-z0-9._-]");
  if (parts_.enrolments == nullptr)
    co_return FailedPrecondition(
        "this server speaks no TLS, which workers of other machines need: "
        "start it with --tls-cert and --tls-key; workers of this machine use "
        "worker.token of its data directory");
  std::chrono::seconds valid = kPermitted;
  if (request.has_valid_duration()) {
    valid = std::chrono::seconds(request.valid_duration().seconds());
    if (valid < std::chrono::seconds(1) || valid > kLongestPermitted)
      co_return InvalidArgument("a token is good for ", valid.count(),
                                " s, expected 1 s to 7 days");
  }
  ASSAY_CO_ASSIGN_OR_RETURN(
      const Enrolments::Permission permission,
      co_await parts_.enrolments->Permit(name, valid, context.caller.label));
  v1::PermitEnrolmentResponse response;
  response.set_token(permission.token);
  *response.mutable_expire_time() = rpc::ToProto(permission.expiry);
  co_return response;
}

rpc::Async<v1::EnrolWorkerResponse> WorkerService::Enrol(
    rpc::CallContext context, v1::EnrolWorkerRequest request) {
  if (parts_.enrolments == nullptr)
    co_return FailedPrecondition(
        "this server speaks no TLS, and enrols nobody");
  ASSAY_CO_ASSIGN_OR_RETURN(
      Certificate issued,
      co_await parts_.enrolments->Enrol(
          std::move(*request.mutable_token()),
          std::move(*request.mutable_certificate_request())));
  v1::EnrolWorkerResponse response;
  response.set_certificate(std::move(issued.pem));
  *response.mutable_expire_time() = rpc::ToProto(issued.expiry);
  co_return response;
}

rpc::Async<v1::RevokeWorkerResponse> WorkerService::Revoke(
    rpc::CallContext context, v1::RevokeWorkerRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(const std::string name,
                            ParseWorker(request.name()));
  ASSAY_CO_RETURN_IF_ERROR(
      co_await RevokeCertificates(store_, clock_, name, context.caller.label));
  if (parts_.on_revoked) co_await parts_.on_revoked(name);
  co_return v1::RevokeWorkerResponse();
}

}  // namespace assay::workers
