#include "services/attempts/decision_service.h"

#include <utility>

#include "services/attempts/attempt_proto.h"
#include "services/notify/outbox.h"
#include "services/rpc/proto_time.h"
#include "services/rpc/register_method.h"
#include "services/rpc/resource_name.h"
#include "services/storage/once.h"

namespace assay::attempts {
namespace {

using storage::DecisionRecord;
using storage::Transaction;

constexpr std::size_t kMaxText = 100'000;

Status CheckDecision(const v1::CreateDecisionRequest& request) {
  if (request.outcome() == v1::Decision::OUTCOME_UNSPECIFIED ||
      !v1::Decision::Outcome_IsValid(request.outcome()))
    return InvalidArgument(
        "outcome is missing; expected advance, reject or "
        "hold");
  if (request.reason().empty() || request.reason().size() > kMaxText)
    return InvalidArgument("reason must say in 1 to ", kMaxText,
                           " bytes what led to the decision");
  if (request.feedback().size() > kMaxText)
    return InvalidArgument("feedback may have up to ", kMaxText, " bytes");
  return {};
}

Expected<DecisionRecord> CreateIn(Transaction& tx, const AttemptId& id,
                                  const rpc::CallContext& context,
                                  const v1::CreateDecisionRequest& request,
                                  Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(const storage::AttemptRecord attempt,
                         tx.attempts.Get(id));
  ASSAY_RETURN_IF_ERROR(CheckIsOfCandidate(attempt));
  if (attempt.state != v1::Attempt::STATE_SUBMITTED)
    return FailedPrecondition("attempt ", id,
                              " is not submitted yet; decide after its "
                              "deadline");
  DecisionRecord decision;
  decision.attempt = id;
  decision.number = request.expected_number() + 1;
  decision.outcome = request.outcome();
  decision.reason = request.reason();
  decision.feedback = request.feedback();
  decision.feedback_released = request.release_feedback();
  decision.decider = context.caller.label;
  decision.decide_time = now;
  ASSAY_RETURN_IF_ERROR(tx.decisions.Create(decision));
  ASSAY_RETURN_IF_ERROR(
      tx.audit.Append({.time = now,
                       .actor = context.caller.label,
                       .action = "decision.create",
                       .subject = rpc::FormatName("attempts", id),
                       .detail = v1::Decision::Outcome_Name(request.outcome()) +
                                 ": " + request.reason()}));
  if (decision.feedback_released)
    ASSAY_RETURN_IF_ERROR(notify::Tell(tx,
                                       {.topic = "feedback",
                                        .recipient = attempt.candidate_email,
                                        .subject = "Feedback on your work",
                                        .body = decision.feedback + "\n",
                                        .attempt = id},
                                       now));
  return decision;
}

// The feedback that was released, and nothing else of it.
std::vector<v1::Decision> ForCandidate(
    const std::vector<DecisionRecord>& decisions) {
  if (decisions.empty() || !decisions.back().feedback_released) return {};
  const DecisionRecord& last = decisions.back();
  v1::Decision shown;
  shown.set_attempt(rpc::FormatName("attempts", last.attempt));
  if (last.outcome != v1::Decision::OUTCOME_HOLD)
    shown.set_outcome(last.outcome);
  shown.set_feedback(last.feedback);
  shown.set_feedback_released(true);
  *shown.mutable_decide_time() = rpc::ToProto(last.decide_time);
  return {shown};
}

}  // namespace

v1::Decision ToProto(const DecisionRecord& decision) {
  v1::Decision proto;
  proto.set_attempt(rpc::FormatName("attempts", decision.attempt));
  proto.set_number(decision.number);
  proto.set_outcome(decision.outcome);
  proto.set_reason(decision.reason);
  proto.set_feedback(decision.feedback);
  proto.set_feedback_released(decision.feedback_released);
  proto.set_decider(decision.decider);
  *proto.mutable_decide_time() = rpc::ToProto(decision.decide_time);
  return proto;
}

DecisionService::DecisionService(
    storage::Store& store, const Clock& clock,
    std::function<void(const AttemptId&)> on_changed)
    : store_(store), clock_(clock), on_changed_(std::move(on_changed)) {}

void DecisionService::Register(rpc::MethodRegistry& registry) {
  const std::string service = "assay.v1.DecisionService/";
  rpc::Register(registry, service + "CreateDecision", this,
                &DecisionService::Create);
  rpc::Register(registry, service + "ListDecisions", this,
                &DecisionService::List);
}

Async<v1::CreateDecisionResponse> DecisionService::Create(
    rpc::CallContext context, v1::CreateDecisionRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(const AttemptId id,
                            ResolveAttempt(context.caller, request.attempt()));
  ASSAY_CO_RETURN_IF_ERROR(CheckDecision(request));
  using Response = v1::CreateDecisionResponse;
  ASSAY_CO_ASSIGN_OR_RETURN(
      Response response,
      co_await store_.Write([id, context, request,
                             now = clock_.Now()](Transaction& tx) {
        const storage::RequestKey key{context.caller.token.str(),
                                      "assay.v1.DecisionService/CreateDecision",
                                      request.request_id()};
        return storage::Once<Response>(
            tx, key, request, now, [&]() -> Expected<Response> {
              ASSAY_ASSIGN_OR_RETURN(const DecisionRecord decision,
                                     CreateIn(tx, id, context, request, now));
              Response response;
              *response.mutable_decision() = ToProto(decision);
              return response;
            });
      }));
  if (on_changed_) on_changed_(id);
  co_return response;
}

Async<v1::ListDecisionsResponse> DecisionService::List(
    rpc::CallContext context, v1::ListDecisionsRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(const AttemptId id,
                            ResolveAttempt(context.caller, request.attempt()));
  using Response = v1::ListDecisionsResponse;
  co_return co_await store_.Read(
      [id, candidate = context.caller.role == v1::ROLE_CANDIDATE](
          Transaction& tx) -> Expected<Response> {
        ASSAY_RETURN_IF_ERROR(tx.attempts.Get(id));
        ASSAY_ASSIGN_OR_RETURN(const auto decisions, tx.decisions.List(id));
        Response response;
        if (candidate) {
          for (v1::Decision& shown : ForCandidate(decisions))
            *response.add_decisions() = std::move(shown);
          return response;
        }
        for (const DecisionRecord& decision : decisions)
          *response.add_decisions() = ToProto(decision);
        return response;
      });
}

}  // namespace assay::attempts
