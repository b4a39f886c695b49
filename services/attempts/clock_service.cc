#include "services/attempts/clock_service.h"

#include <algorithm>
#include <utility>

#include "services/attempts/attempt_proto.h"
#include "services/attempts/clock.h"
#include "services/attempts/time_text.h"
#include "services/rpc/proto_time.h"
#include "services/rpc/register_method.h"
#include "services/rpc/resource_name.h"
#include "services/storage/once.h"

namespace assay::attempts {
namespace {

using std::chrono::microseconds;
using storage::AttemptRecord;
using storage::Transaction;

Status CheckReason(const std::string& reason) {
  if (reason.empty())
    return InvalidArgument(
        "reason is empty; say why the clock changes, it is kept for the "
        "record");
  return {};
}

// How much of an outage an attempt's clock ran.
microseconds LostTo(const ClockRecord& clock, Clock::TimePoint from,
                    Clock::TimePoint to) {
  if (!clock.start_time) return microseconds(0);
  Clock::TimePoint end = to;
  if (clock.pause_time) end = std::min(end, *clock.pause_time);
  if (clock.cut_off_time) end = std::min(end, *clock.cut_off_time);
  const Clock::TimePoint begin = std::max(from, *clock.start_time);
  return std::max(microseconds(0), microseconds(end - begin));
}

struct Outage {
  AssignmentId assignment;  // empty: all
  AttemptId attempt;        // empty: all
  Clock::TimePoint from;
  Clock::TimePoint to;
};

Expected<Outage> ParseOutage(const v1::CreditOutageRequest& request,
                             Clock::TimePoint now) {
  ASSAY_RETURN_IF_ERROR(CheckReason(request.reason()));
  Outage outage;
  if (!request.assignment().empty()) {
    ASSAY_ASSIGN_OR_RETURN(
        outage.assignment,
        rpc::ParseName<AssignmentId>("assignments", request.assignment()));
  }
  if (!request.attempt().empty()) {
    if (!request.assignment().empty())
      return InvalidArgument("expected assignment or attempt, found both");
    ASSAY_ASSIGN_OR_RETURN(outage.attempt, rpc::ParseName<AttemptId>(
                                               "attempts", request.attempt()));
  }
  if (!rpc::InRange(request.start_time()) || !rpc::InRange(request.end_time()))
    return InvalidArgument("start_time and end_time are out of range");
  outage.from = rpc::FromProto(request.start_time());
  outage.to = rpc::FromProto(request.end_time());
  if (outage.from >= outage.to)
    return InvalidArgument("an outage begins before it ends, found ",
                           TimeText(outage.from), " to ", TimeText(outage.to));
  if (outage.to > now)
    return InvalidArgument("an outage has ended when it is credited, found ",
                           TimeText(outage.to), ", and it is ", TimeText(now),
                           "; pause the clocks until it is over");
  return outage;
}

Expected<v1::CreditOutageResponse> CreditIn(Transaction& tx,
                                            const rpc::CallContext& context,
                                            const Outage& outage,
                                            const std::string& reason,
                                            Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(
      const auto attempts,
      tx.attempts.ListActiveDuring(outage.assignment, outage.from, outage.to));
  if (!outage.attempt.empty())
    ASSAY_RETURN_IF_ERROR(tx.attempts.Get(outage.attempt));
  v1::CreditOutageResponse response;
  for (const AttemptRecord& attempt : attempts) {
    if (!outage.attempt.empty() && attempt.id != outage.attempt) continue;
    const microseconds lost = LostTo(attempt.clock, outage.from, outage.to);
    if (lost == microseconds(0)) continue;
    const Expected<ClockRecord> clock = Extend(attempt.clock, lost);
    // The hard close holds whatever happened; the others get their time.
    if (!clock) continue;
    ASSAY_RETURN_IF_ERROR(ChangeClock(tx, attempt, *clock,
                                      {.kind = "credit",
                                       .amount = lost,
                                       .actor = context.caller.label,
                                       .reason = reason},
                                      now));
    v1::CreditOutageResponse::Credit& credit = *response.add_credits();
    credit.set_attempt(rpc::FormatName("attempts", attempt.id));
    *credit.mutable_extension() = rpc::ToProto(lost);
  }
  return response;
}

}  // namespace

ClockService::ClockService(storage::Store& store, const Clock& clock,
                           std::function<void()> on_clock_changed,
                           std::string base_url,
                           std::function<void(const AttemptId&)> on_changed)
    : store_(store),
      clock_(clock),
      on_clock_changed_(std::move(on_clock_changed)),
      base_url_(std::move(base_url)),
      on_changed_(std::move(on_changed)) {}

void ClockService::Register(rpc::MethodRegistry& registry) {
  const std::string service = "assay.v1.AttemptService/";
  rpc::Register(registry, service + "ExtendAttempt", this,
                &ClockService::Extend);
  rpc::Register(registry, service + "PauseAttempt", this, &ClockService::Pause);
  rpc::Register(registry, service + "ResumeAttempt", this,
                &ClockService::Resume);
  rpc::Register(registry, service + "PauseAttempts", this,
                &ClockService::PauseAll);
  rpc::Register(registry, service + "ResumeAttempts", this,
                &ClockService::ResumeAll);
  rpc::Register(registry, service + "SetAccommodation", this,
                &ClockService::SetAccommodation);
  rpc::Register(registry, service + "CreditOutage", this,
                &ClockService::CreditOutage);
}

template <class Response, class Request>
Async<Response> ClockService::Change(rpc::CallContext context, Request request,
                                     std::string method, ClockChange change,
                                     Rule rule) {
  ASSAY_CO_ASSIGN_OR_RETURN(const AttemptId id,
                            ResolveAttempt(context.caller, request.name()));
  ASSAY_CO_RETURN_IF_ERROR(CheckReason(request.reason()));
  change.actor = context.caller.label;
  change.reason = request.reason();
  const storage::RequestKey key{context.caller.token.str(),
                                "assay.v1.AttemptService/" + method,
                                request.request_id()};
  ASSAY_CO_ASSIGN_OR_RETURN(
      Response response,
      co_await store_.Write([id, context, request, key, change,
                             rule = std::move(rule), base_url = base_url_,
                             now = clock_.Now()](Transaction& tx) {
        return storage::Once<Response>(
            tx, key, request, now, [&]() -> Expected<Response> {
              ASSAY_ASSIGN_OR_RETURN(AttemptRecord attempt,
                                     tx.attempts.Get(id));
              ASSAY_ASSIGN_OR_RETURN(const ClockRecord clock,
                                     rule(attempt.clock, now));
              ASSAY_ASSIGN_OR_RETURN(
                  attempt, ChangeClock(tx, attempt, clock, change, now));
              Response changed;
              ASSAY_ASSIGN_OR_RETURN(
                  *changed.mutable_attempt(),
                  ShowAttempt(tx, attempt, context.caller, base_url));
              return changed;
            });
      }));
  on_clock_changed_();
  if (on_changed_) on_changed_(id);
  co_return response;
}

template <class Response, class Request>
Async<Response> ClockService::ChangeAll(rpc::CallContext context,
                                        Request request, std::string method,
                                        ClockChange change, Rule rule) {
  ASSAY_CO_RETURN_IF_ERROR(CheckReason(request.reason()));
  AssignmentId assignment;
  if (!request.assignment().empty()) {
    ASSAY_CO_ASSIGN_OR_RETURN(
        assignment,
        rpc::ParseName<AssignmentId>("assignments", request.assignment()));
  }
  change.actor = context.caller.label;
  change.reason = request.reason();
  const storage::RequestKey key{context.caller.token.str(),
                                "assay.v1.AttemptService/" + method,
                                request.request_id()};
  ASSAY_CO_ASSIGN_OR_RETURN(
      Response response,
      co_await store_.Write([assignment, request, key, change,
                             rule = std::move(rule),
                             now = clock_.Now()](Transaction& tx) {
        return storage::Once<Response>(
            tx, key, request, now, [&]() -> Expected<Response> {
              if (!assignment.empty())
                ASSAY_RETURN_IF_ERROR(tx.assignments.Get(assignment));
              ASSAY_ASSIGN_OR_RETURN(
                  const auto attempts,
                  tx.attempts.ListActiveDuring(
                      assignment, now, now + std::chrono::microseconds(1)));
              Response changed;
              for (const AttemptRecord& attempt : attempts) {
                const Expected<ClockRecord> clock = rule(attempt.clock, now);
                if (!clock) continue;
                ASSAY_RETURN_IF_ERROR(
                    ChangeClock(tx, attempt, *clock, change, now));
                changed.add_attempts(rpc::FormatName("attempts", attempt.id));
              }
              return changed;
            });
      }));
  on_clock_changed_();
  for (const std::string& name : response.attempts())
    if (on_changed_) on_changed_(*rpc::ParseName<AttemptId>("attempts", name));
  co_return response;
}

Async<v1::PauseAttemptsResponse> ClockService::PauseAll(
    rpc::CallContext context, v1::PauseAttemptsRequest request) {
  return ChangeAll<v1::PauseAttemptsResponse>(
      std::move(context), std::move(request), "PauseAttempts",
      {.kind = "pause"}, [](const ClockRecord& clock, Clock::TimePoint now) {
        return attempts::Pause(clock, now);
      });
}

Async<v1::ResumeAttemptsResponse> ClockService::ResumeAll(
    rpc::CallContext context, v1::ResumeAttemptsRequest request) {
  return ChangeAll<v1::ResumeAttemptsResponse>(
      std::move(context), std::move(request), "ResumeAttempts",
      {.kind = "resume"}, [](const ClockRecord& clock, Clock::TimePoint now) {
        return attempts::Resume(clock, now);
      });
}

Async<v1::ExtendAttemptResponse> ClockService::Extend(
    rpc::CallContext context, v1::ExtendAttemptRequest request) {
  if (!rpc::InRange(request.extension()) ||
      rpc::FromProto(request.extension()).count() == 0)
    co_return InvalidArgument("extension must be a time to add, like 30 min");
  const microseconds amount = rpc::FromProto(request.extension());
  co_return co_await Change<v1::ExtendAttemptResponse>(
      std::move(context), std::move(request), "ExtendAttempt",
      {.kind = "extend", .amount = amount},
      [amount](const ClockRecord& clock, Clock::TimePoint) {
        return attempts::Extend(clock, amount);
      });
}

Async<v1::PauseAttemptResponse> ClockService::Pause(
    rpc::CallContext context, v1::PauseAttemptRequest request) {
  return Change<v1::PauseAttemptResponse>(
      std::move(context), std::move(request), "PauseAttempt", {.kind = "pause"},
      [](const ClockRecord& clock, Clock::TimePoint now) {
        return attempts::Pause(clock, now);
      });
}

Async<v1::ResumeAttemptResponse> ClockService::Resume(
    rpc::CallContext context, v1::ResumeAttemptRequest request) {
  return Change<v1::ResumeAttemptResponse>(
      std::move(context), std::move(request), "ResumeAttempt",
      {.kind = "resume"}, [](const ClockRecord& clock, Clock::TimePoint now) {
        return attempts::Resume(clock, now);
      });
}

Async<v1::SetAccommodationResponse> ClockService::SetAccommodation(
    rpc::CallContext context, v1::SetAccommodationRequest request) {
  const double factor = request.factor();
  return Change<v1::SetAccommodationResponse>(
      std::move(context), std::move(request), "SetAccommodation",
      {.kind = "accommodate"},
      [factor](const ClockRecord& clock, Clock::TimePoint) {
        return Accommodate(clock, factor);
      });
}

Async<v1::CreditOutageResponse> ClockService::CreditOutage(
    rpc::CallContext context, v1::CreditOutageRequest request) {
  const Clock::TimePoint now = clock_.Now();
  ASSAY_CO_ASSIGN_OR_RETURN(const Outage outage, ParseOutage(request, now));
  using Response = v1::CreditOutageResponse;
  const storage::RequestKey key{context.caller.token.str(),
                                "assay.v1.AttemptService/CreditOutage",
                                request.request_id()};
  ASSAY_CO_ASSIGN_OR_RETURN(
      Response response, co_await store_.Write([context, request, outage, key,
                                                now](Transaction& tx) {
        return storage::Once<Response>(tx, key, request, now, [&] {
          return CreditIn(tx, context, outage, request.reason(), now);
        });
      }));
  on_clock_changed_();
  for (const auto& credit : response.credits())
    if (on_changed_)
      on_changed_(*rpc::ParseName<AttemptId>("attempts", credit.attempt()));
  co_return response;
}

}  // namespace assay::attempts
