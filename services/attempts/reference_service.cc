#include "services/attempts/reference_service.h"

#include <optional>
#include <utility>
#include <vector>

#include "proto/base/digest.h"
#include "proto/base/fault_point.h"
#include "services/attempts/attempt_proto.h"
#include "services/attempts/push_recorder.h"
#include "services/attempts/push_run.h"
#include "services/rpc/register_method.h"
#include "services/rpc/resource_name.h"
#include "services/runs/run_proto.h"
#include "services/storage/once.h"

namespace assay::attempts {
namespace {

using storage::AssignmentRecord;
using storage::AttemptRecord;
using storage::Transaction;
using Which = storage::RunTable::Which;

constexpr char kGitUser[] = "author";

// One for each assignment, and the same for each try to make it.
AttemptId ReferenceOf(const AssignmentId& assignment) {
  return AttemptId("att_" +
                   Sha256Hex("reference of " + assignment.str()).substr(0, 20));
}

Status ShowNewest(Transaction& tx, const AttemptRecord& attempt,
                  std::int32_t version, Which which,
                  const std::function<v1::Run*()>& into) {
  ASSAY_ASSIGN_OR_RETURN(const auto run,
                         tx.runs.FindNewest(attempt.id, version, which));
  if (!run) return {};
  ASSAY_ASSIGN_OR_RETURN(const auto results,
                         tx.run_events.ListResults(run->id, run->epoch));
  std::int32_t position = 0;
  if (run->state == v1::Run::STATE_QUEUED) {
    ASSAY_ASSIGN_OR_RETURN(position, tx.queue.Position(*run));
  }
  *into() = runs::ToProto(*run, results, position);
  return {};
}

Expected<v1::Reference> Show(Transaction& tx, const AttemptRecord& attempt,
                             std::int32_t version, const std::string& base_url,
                             Clock::TimePoint now) {
  v1::Reference proto;
  proto.set_attempt(rpc::FormatName("attempts", attempt.id));
  proto.set_clone_url(CloneUrl(base_url, attempt.repository));
  proto.set_version(version);
  ASSAY_ASSIGN_OR_RETURN(
      const auto push,
      tx.pushes.LastAccepted(attempt.id, std::string(kGradedRef), now));
  if (push) *proto.mutable_push() = ToProto(*push);
  ASSAY_RETURN_IF_ERROR(ShowNewest(tx, attempt, version, Which::kScored,
                                   [&] { return proto.mutable_run(); }));
  ASSAY_RETURN_IF_ERROR(ShowNewest(tx, attempt, version, Which::kAny,
                                   [&] { return proto.mutable_latest_run(); }));
  return proto;
}

// The row; the repository is there already. Another call may have been as
// fast: then its row stands.
Expected<AttemptRecord> CreateIn(Transaction& tx, const std::string& actor,
                                 const AssignmentRecord& assignment,
                                 const std::string& node,
                                 Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(const auto found,
                         tx.attempts.FindReference(assignment.id));
  if (found) return *found;
  AttemptRecord attempt;
  attempt.id = ReferenceOf(assignment.id);
  attempt.assignment = assignment.id;
  attempt.assignment_version = assignment.version;
  attempt.reference = true;
  attempt.state = v1::Attempt::STATE_STARTED;
  attempt.repository = RepositoryOf(attempt.id);
  // No deadline and no cut-off: nothing ends it, and no push is late.
  attempt.clock.start_time = now;
  attempt.create_time = now;
  ASSAY_RETURN_IF_ERROR(
      tx.repositories.Create({.id = attempt.repository,
                              .attempt = attempt.id,
                              .template_commit = assignment.template_commit,
                              .create_time = now,
                              .home = node}));
  ASSAY_RETURN_IF_ERROR(tx.attempts.Create(attempt));
  ASSAY_RETURN_IF_ERROR(tx.audit.Append(
      {.time = now,
       .actor = actor,
       .action = "assignment.open_reference",
       .subject = rpc::FormatName("assignments", assignment.id),
       .detail = "as " + rpc::FormatName("attempts", attempt.id)}));
  return attempt;
}

// What GradeIn stored, for the answer and the watchers.
struct Graded {
  v1::GradeReferenceResponse response;
  // None for a repeated request.
  std::vector<storage::RunChange> changes;
};

Status GradeIn(Transaction& tx, const std::string& actor,
               const AssignmentId& id, Clock::TimePoint now, Graded& graded) {
  ASSAY_ASSIGN_OR_RETURN(const AssignmentRecord assignment,
                         tx.assignments.Get(id));
  ASSAY_ASSIGN_OR_RETURN(const auto attempt, tx.attempts.FindReference(id));
  std::optional<storage::PushRecord> push;
  if (attempt) {
    ASSAY_ASSIGN_OR_RETURN(
        push,
        tx.pushes.LastAccepted(attempt->id, std::string(kGradedRef), now));
  }
  if (!push)
    return FailedPrecondition("no solution was pushed as the reference of ", id,
                              " yet; push one: assay assignment reference ", id,
                              " FOLDER");
  ASSAY_ASSIGN_OR_RETURN(graded.changes,
                         QueuePushRun(tx, *push, *attempt, assignment, now));
  const storage::RunRecord& run = graded.changes.front().run;
  ASSAY_ASSIGN_OR_RETURN(const std::int32_t position, tx.queue.Position(run));
  *graded.response.mutable_run() = runs::ToProto(run, {}, position);
  return tx.audit.Append({.time = now,
                          .actor = actor,
                          .action = "assignment.grade_reference",
                          .subject = rpc::FormatName("assignments", id),
                          .detail = "commit " + run.commit + ", version " +
                                    std::to_string(assignment.version)});
}

}  // namespace

ReferenceService::ReferenceService(storage::Store& store,
                                   identity::Identity& identity,
                                   const Clock& clock, ReferenceParts parts)
    : store_(store),
      identity_(identity),
      clock_(clock),
      parts_(std::move(parts)) {}

void ReferenceService::Register(rpc::MethodRegistry& registry) {
  const std::string service = "assay.v1.AssignmentService/";
  rpc::Register(registry, service + "GetReference", this,
                &ReferenceService::Get);
  rpc::Register(registry, service + "OpenReference", this,
                &ReferenceService::Open);
  rpc::Register(registry, service + "GradeReference", this,
                &ReferenceService::Grade);
}

Async<v1::GetReferenceResponse> ReferenceService::Get(
    rpc::CallContext context, v1::GetReferenceRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const AssignmentId id,
      rpc::ParseName<AssignmentId>("assignments", request.name()));
  using Response = v1::GetReferenceResponse;
  co_return co_await store_.Read(
      [id, version = request.version(), base_url = parts_.base_url,
       now = clock_.Now()](Transaction& tx) -> Expected<Response> {
        ASSAY_ASSIGN_OR_RETURN(const AssignmentRecord assignment,
                               tx.assignments.Get(id, version));
        ASSAY_ASSIGN_OR_RETURN(const auto attempt,
                               tx.attempts.FindReference(id));
        Response response;
        if (!attempt) return response;
        ASSAY_ASSIGN_OR_RETURN(
            *response.mutable_reference(),
            Show(tx, *attempt, assignment.version, base_url, now));
        return response;
      });
}

Async<v1::OpenReferenceResponse> ReferenceService::Open(
    rpc::CallContext context, v1::OpenReferenceRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const AssignmentId id,
      rpc::ParseName<AssignmentId>("assignments", request.name()));
  struct Before {
    AssignmentRecord assignment;
    bool there = false;
  };
  ASSAY_CO_ASSIGN_OR_RETURN(
      const Before before,
      co_await store_.Read([id](Transaction& tx) -> Expected<Before> {
        Before result;
        ASSAY_ASSIGN_OR_RETURN(result.assignment, tx.assignments.Get(id));
        ASSAY_ASSIGN_OR_RETURN(const auto attempt,
                               tx.attempts.FindReference(id));
        result.there = attempt.has_value();
        return result;
      }));
  if (!before.there) {
    ASSAY_CO_RETURN_IF_ERROR(co_await parts_.create_repository(
        RepositoryOf(ReferenceOf(id)), before.assignment.template_commit));
    ReachFaultPoint("repository.made");
  }
  ASSAY_CO_ASSIGN_OR_RETURN(
      v1::Reference reference,
      co_await store_.Write(
          [assignment = before.assignment, actor = context.caller.label,
           base_url = parts_.base_url, node = parts_.node,
           now = clock_.Now()](Transaction& tx) -> Expected<v1::Reference> {
            ASSAY_ASSIGN_OR_RETURN(const AttemptRecord attempt,
                                   CreateIn(tx, actor, assignment, node, now));
            return Show(tx, attempt, assignment.version, base_url, now);
          }));
  ASSAY_CO_ASSIGN_OR_RETURN(
      const identity::MintedToken token,
      co_await identity_.CreateGitToken(ReferenceOf(id),
                                        RepositoryOf(ReferenceOf(id))));
  if (parts_.feed != nullptr) parts_.feed->Touch(ReferenceOf(id));
  v1::OpenReferenceResponse response;
  *response.mutable_reference() = std::move(reference);
  response.set_username(kGitUser);
  response.set_password(token.secret);
  co_return response;
}

Async<v1::GradeReferenceResponse> ReferenceService::Grade(
    rpc::CallContext context, v1::GradeReferenceRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const AssignmentId id,
      rpc::ParseName<AssignmentId>("assignments", request.name()));
  using Response = v1::GradeReferenceResponse;
  const storage::RequestKey key{context.caller.token.str(),
                                "assay.v1.AssignmentService/GradeReference",
                                request.request_id()};
  ASSAY_CO_ASSIGN_OR_RETURN(
      Graded graded,
      co_await store_.Write([id, key, request, actor = context.caller.label,
                             now = clock_.Now()](
                                Transaction& tx) -> Expected<Graded> {
        Graded result;
        ASSAY_ASSIGN_OR_RETURN(
            result.response,
            storage::Once<Response>(
                tx, key, request, now, [&]() -> Expected<Response> {
                  ASSAY_RETURN_IF_ERROR(GradeIn(tx, actor, id, now, result));
                  return result.response;
                }));
        return result;
      }));
  if (parts_.feed != nullptr) {
    parts_.feed->Publish(graded.changes);
    parts_.feed->Touch(ReferenceOf(id));
  }
  co_return graded.response;
}

}  // namespace assay::attempts
