#include "services/attempts/version_service.h"

#include <utility>

#include "services/attempts/attempt_proto.h"
#include "services/attempts/clock.h"
#include "services/attempts/clock_changes.h"
#include "services/notify/outbox.h"
#include "services/rpc/register_method.h"
#include "services/rpc/resource_name.h"
#include "services/storage/once.h"

namespace assay::attempts {
namespace {

using storage::AssignmentRecord;
using storage::AttemptRecord;
using storage::Transaction;

// The running attempts that a request names; all of the assignment's where it
// names none.
Expected<std::vector<AttemptRecord>> RunningOf(
    Transaction& tx, const AssignmentId& assignment,
    const google::protobuf::RepeatedPtrField<std::string>& names) {
  if (names.empty()) return tx.attempts.ListRunning(assignment);
  std::vector<AttemptRecord> attempts;
  for (const std::string& name : names) {
    ASSAY_ASSIGN_OR_RETURN(const AttemptId id,
                           rpc::ParseName<AttemptId>("attempts", name));
    ASSAY_ASSIGN_OR_RETURN(AttemptRecord attempt, tx.attempts.Get(id));
    if (attempt.assignment != assignment)
      return NotFound("attempt ", id, " is of assignment ", attempt.assignment,
                      ", not of ", assignment);
    ASSAY_RETURN_IF_ERROR(CheckIsOfCandidate(attempt));
    if (attempt.state != v1::Attempt::STATE_STARTED)
      return FailedPrecondition("attempt ", id, " does not run");
    attempts.push_back(std::move(attempt));
  }
  return attempts;
}

Expected<v1::MoveAttemptsResponse> MoveIn(
    Transaction& tx, const rpc::CallContext& context, const AssignmentId& id,
    const v1::MoveAttemptsRequest& request, Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(const AssignmentRecord assignment,
                         tx.assignments.Get(id, request.version()));
  ASSAY_ASSIGN_OR_RETURN(const auto attempts,
                         RunningOf(tx, id, request.attempts()));
  v1::MoveAttemptsResponse response;
  for (const AttemptRecord& attempt : attempts) {
    if (attempt.assignment_version == assignment.version) continue;
    ASSAY_RETURN_IF_ERROR(tx.attempts.MoveTo(attempt.id, assignment.version));
    ASSAY_RETURN_IF_ERROR(ChangeClock(
        tx, attempt, Adopt(attempt.clock, assignment.spec),
        {.kind = "move",
         .actor = context.caller.label,
         .reason = "to version " + std::to_string(assignment.version) + ": " +
                   request.reason()},
        now));
    v1::MoveAttemptsResponse::Move& move = *response.add_moves();
    move.set_attempt(rpc::FormatName("attempts", attempt.id));
    move.set_from_version(attempt.assignment_version);
  }
  return response;
}

}  // namespace

VersionService::VersionService(storage::Store& store, const Clock& clock,
                               VersionParts parts)
    : store_(store), clock_(clock), parts_(std::move(parts)) {}

void VersionService::Register(rpc::MethodRegistry& registry) {
  const std::string service = "assay.v1.AssignmentService/";
  rpc::Register(registry, service + "MoveAttempts", this,
                &VersionService::Move);
  rpc::Register(registry, service + "OfferTemplate", this,
                &VersionService::Offer);
}

Async<v1::MoveAttemptsResponse> VersionService::Move(
    rpc::CallContext context, v1::MoveAttemptsRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const AssignmentId id,
      rpc::ParseName<AssignmentId>("assignments", request.name()));
  if (request.reason().empty())
    co_return InvalidArgument(
        "reason is empty; say why the attempts are moved, it is kept for the "
        "record");
  using Response = v1::MoveAttemptsResponse;
  const storage::RequestKey key{context.caller.token.str(),
                                "assay.v1.AssignmentService/MoveAttempts",
                                request.request_id()};
  ASSAY_CO_ASSIGN_OR_RETURN(
      Response response,
      co_await store_.Write(
          [id, context, request, key, now = clock_.Now()](Transaction& tx) {
            return storage::Once<Response>(tx, key, request, now, [&] {
              return MoveIn(tx, context, id, request, now);
            });
          }));
  parts_.on_clock_changed();
  for (const auto& move : response.moves())
    parts_.on_changed(*rpc::ParseName<AttemptId>("attempts", move.attempt()));
  co_return response;
}

Async<v1::OfferTemplateResponse> VersionService::Offer(
    rpc::CallContext context, v1::OfferTemplateRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const AssignmentId id,
      rpc::ParseName<AssignmentId>("assignments", request.name()));
  struct Found {
    AssignmentRecord assignment;
    std::vector<AttemptRecord> attempts;
  };
  ASSAY_CO_ASSIGN_OR_RETURN(
      const Found found,
      co_await store_.Read([id, request](Transaction& tx) -> Expected<Found> {
        Found result;
        ASSAY_ASSIGN_OR_RETURN(result.assignment,
                               tx.assignments.Get(id, request.version()));
        ASSAY_ASSIGN_OR_RETURN(result.attempts,
                               RunningOf(tx, id, request.attempts()));
        return result;
      }));
  v1::OfferTemplateResponse response;
  // One after the other; what a crash leaves out is done by a repeat.
  for (const AttemptRecord& attempt : found.attempts)
    ASSAY_CO_RETURN_IF_ERROR(
        co_await OfferTo(context, attempt, found.assignment, response));
  co_return response;
}

// The row before the branch: a branch that no row explains would be taken for
// a push that was lost.
Async<void> VersionService::OfferTo(rpc::CallContext context,
                                    AttemptRecord attempt,
                                    AssignmentRecord assignment,
                                    v1::OfferTemplateResponse& response) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const storage::RepositoryRecord repository,
      co_await store_.Read([id = attempt.repository](Transaction& tx) {
        return tx.repositories.Get(id);
      }));
  if (repository.template_commit == assignment.template_commit)
    co_return Status();
  storage::TemplateOfferRecord offer{
      .attempt = attempt.id,
      .version = assignment.version,
      .branch = "template-v" + std::to_string(assignment.version),
      .offer_time = clock_.Now()};
  ASSAY_CO_ASSIGN_OR_RETURN(
      offer.commit,
      co_await parts_.write_offer(repository.id, repository.template_commit,
                                  assignment.template_commit));
  ASSAY_CO_RETURN_IF_ERROR(
      co_await store_.Write([offer, attempt, label = context.caller.label](
                                Transaction& tx) -> Status {
        ASSAY_RETURN_IF_ERROR(tx.template_offers.Put(offer));
        ASSAY_RETURN_IF_ERROR(tx.audit.Append(
            {.time = offer.offer_time,
             .actor = label,
             .action = "attempt.offer_template",
             .subject = rpc::FormatName("attempts", offer.attempt),
             .detail = offer.branch + " at " + offer.commit}));
        return notify::Tell(
            tx,
            {.topic = "template",
             .recipient = attempt.candidate_email,
             .subject = "A fix of the template is offered to you",
             .body = "It is on the branch " + offer.branch +
                     " of your repository. To take it over: git pull origin " +
                     offer.branch + "\n",
             .attempt = offer.attempt},
            offer.offer_time);
      }));
  ASSAY_CO_RETURN_IF_ERROR(
      co_await parts_.write_branch(repository.id, offer.branch, offer.commit));
  parts_.on_changed(attempt.id);
  v1::OfferTemplateResponse::Offer& shown = *response.add_offers();
  shown.set_attempt(rpc::FormatName("attempts", attempt.id));
  shown.set_branch(offer.branch);
  shown.set_commit(offer.commit);
  co_return Status();
}

}  // namespace assay::attempts
