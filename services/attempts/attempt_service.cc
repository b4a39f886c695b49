#include "services/attempts/attempt_service.h"

#include <utility>

#include "proto/base/fault_point.h"
#include "services/attempts/attempt_proto.h"
#include "services/attempts/clock.h"
#include "services/attempts/clock_changes.h"
#include "services/attempts/time_text.h"
#include "services/attempts/trial.h"
#include "services/rpc/proto_time.h"
#include "services/rpc/register_method.h"
#include "services/rpc/resource_name.h"

namespace assay::attempts {
namespace {

using storage::AssignmentRecord;
using storage::AttemptRecord;
using storage::Transaction;

// git asks for a user name too; only the password counts.
constexpr char kGitUser[] = "candidate";
constexpr char kReaderUser[] = "reader";

struct BeforeStart {
  AttemptRecord attempt;
  AssignmentRecord assignment;
};

Expected<BeforeStart> ReadStart(Transaction& tx, const AttemptId& id) {
  BeforeStart start;
  ASSAY_ASSIGN_OR_RETURN(start.attempt, tx.attempts.Get(id));
  ASSAY_ASSIGN_OR_RETURN(start.assignment,
                         tx.assignments.Get(start.attempt.assignment));
  return start;
}

// Whether the assignment's window is open.
Status CheckWindow(const v1::AssignmentSpec& spec, Clock::TimePoint now) {
  if (spec.has_open_time() && now < rpc::FromProto(spec.open_time()))
    return FailedPrecondition("this assignment opens at ",
                              TimeText(rpc::FromProto(spec.open_time())),
                              "; start it then");
  if (spec.has_hard_close_time() &&
      now >= rpc::FromProto(spec.hard_close_time()))
    return FailedPrecondition("this assignment closed at ",
                              TimeText(rpc::FromProto(spec.hard_close_time())),
                              "; ask whoever invited you");
  return {};
}

// Starts the clock. The repository is there already, so that making it costs
// the candidate no time.
Expected<AttemptRecord> StartIn(Transaction& tx, const AttemptId& id,
                                const AssignmentRecord& assignment,
                                const std::string& node, Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(AttemptRecord attempt, tx.attempts.Get(id));
  if (attempt.state != v1::Attempt::STATE_ACCEPTED) return attempt;
  const RepositoryId repository = RepositoryOf(id);
  ASSAY_RETURN_IF_ERROR(
      tx.repositories.Create({.id = repository,
                              .attempt = id,
                              .template_commit = assignment.template_commit,
                              .create_time = now,
                              .home = node}));
  ASSAY_RETURN_IF_ERROR(
      tx.attempts.MarkStarted(id, repository, assignment.version));
  // By the spec of this version; the accommodation is the candidate's own.
  ClockRecord fresh = NewClock(assignment.spec, attempt.clock.accommodation);
  fresh.version = attempt.clock.version;
  ASSAY_ASSIGN_OR_RETURN(const ClockRecord clock, Start(fresh, now));
  return ChangeClock(tx, attempt, clock,
                     {.kind = "start", .actor = "candidate"}, now);
}

}  // namespace

AttemptService::AttemptService(storage::Store& store,
                               identity::Identity& identity, const Clock& clock,
                               AttemptParts parts)
    : store_(store),
      identity_(identity),
      clock_(clock),
      parts_(std::move(parts)) {}

void AttemptService::Register(rpc::MethodRegistry& registry) {
  const std::string service = "assay.v1.AttemptService/";
  rpc::Register(registry, service + "GetAttempt", this, &AttemptService::Get);
  rpc::Register(registry, service + "ListAttempts", this,
                &AttemptService::List);
  rpc::Register(registry, service + "WatchAttempt", this,
                &AttemptService::Watch);
  rpc::Register(registry, service + "CreateTrialToken", this,
                &AttemptService::CreateTrialToken);
  rpc::Register(registry, service + "StartAttempt", this,
                &AttemptService::Start);
  rpc::Register(registry, service + "CreateGitToken", this,
                &AttemptService::CreateGitToken);
  rpc::Register(registry, service + "ListPushes", this,
                &AttemptService::ListPushes);
}

Async<v1::GetAttemptResponse> AttemptService::Get(
    rpc::CallContext context, v1::GetAttemptRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(const AttemptId id,
                            ResolveAttempt(context.caller, request.name()));
  using Response = v1::GetAttemptResponse;
  co_return co_await store_.Read(
      [id, caller = context.caller, base_url = parts_.base_url,
       now = clock_.Now()](Transaction& tx) -> Expected<Response> {
        ASSAY_ASSIGN_OR_RETURN(const AttemptRecord attempt,
                               tx.attempts.Get(id));
        Response response;
        ASSAY_ASSIGN_OR_RETURN(*response.mutable_attempt(),
                               ShowAttempt(tx, attempt, caller, base_url));
        *response.mutable_server_time() = rpc::ToProto(now);
        return response;
      });
}

Async<void> AttemptService::Watch(
    rpc::CallContext context, v1::WatchAttemptRequest request,
    rpc::StreamWriter<v1::WatchAttemptResponse> writer) {
  ASSAY_CO_ASSIGN_OR_RETURN(const AttemptId id,
                            ResolveAttempt(context.caller, request.name()));
  // Before the first look, so that no change falls in between.
  const auto watch = parts_.feed->WatchAttempt(id);
  for (;;) {
    v1::WatchAttemptResponse now;
    ASSAY_CO_ASSIGN_OR_RETURN(
        *now.mutable_attempt(),
        co_await store_.Read(
            [id, caller = context.caller, base_url = parts_.base_url](
                Transaction& tx) -> Expected<v1::Attempt> {
              ASSAY_ASSIGN_OR_RETURN(const AttemptRecord attempt,
                                     tx.attempts.Get(id));
              return ShowAttempt(tx, attempt, caller, base_url);
            }));
    *now.mutable_server_time() = rpc::ToProto(clock_.Now());
    ASSAY_CO_RETURN_IF_ERROR(co_await writer.Write(std::move(now)));
    ASSAY_CO_RETURN_IF_ERROR(co_await watch->Next());
  }
}

Async<v1::CreateTrialTokenResponse> AttemptService::CreateTrialToken(
    rpc::CallContext context, v1::CreateTrialTokenRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(const AttemptId id,
                            ResolveAttempt(context.caller, request.name()));
  const RepositoryId trial{std::string(kTrialRepository)};
  if (!trial_made_) {
    ASSAY_CO_ASSIGN_OR_RETURN(std::string commit,
                              co_await parts_.create_template(TrialFiles()));
    ASSAY_CO_RETURN_IF_ERROR(
        co_await parts_.create_repository(trial, std::move(commit)));
    trial_made_ = true;
  }
  ASSAY_CO_ASSIGN_OR_RETURN(const identity::MintedToken token,
                            co_await identity_.CreateGitToken(id, trial));
  v1::CreateTrialTokenResponse response;
  response.set_username(kGitUser);
  response.set_password(token.secret);
  response.set_clone_url(CloneUrl(parts_.base_url, trial));
  co_return response;
}

Async<v1::ListAttemptsResponse> AttemptService::List(
    rpc::CallContext context, v1::ListAttemptsRequest request) {
  AssignmentId assignment;
  if (!request.assignment().empty()) {
    ASSAY_CO_ASSIGN_OR_RETURN(
        assignment,
        rpc::ParseName<AssignmentId>("assignments", request.assignment()));
  }
  using Response = v1::ListAttemptsResponse;
  const storage::Page page{request.page_size(), request.page_token()};
  co_return co_await store_.Read(
      [assignment, page, caller = context.caller,
       base_url = parts_.base_url](Transaction& tx) -> Expected<Response> {
        ASSAY_ASSIGN_OR_RETURN(const auto attempts,
                               tx.attempts.List(assignment, page));
        Response response;
        for (const AttemptRecord& attempt : attempts.items) {
          ASSAY_ASSIGN_OR_RETURN(*response.add_attempts(),
                                 ShowAttempt(tx, attempt, caller, base_url));
        }
        response.set_next_page_token(attempts.next_token);
        return response;
      });
}

Async<v1::StartAttemptResponse> AttemptService::Start(
    rpc::CallContext context, v1::StartAttemptRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(const AttemptId id,
                            ResolveAttempt(context.caller, request.name()));
  ASSAY_CO_ASSIGN_OR_RETURN(const BeforeStart start,
                            co_await store_.Read([id](Transaction& tx) {
                              return ReadStart(tx, id);
                            }));
  if (start.attempt.state == v1::Attempt::STATE_ACCEPTED) {
    ASSAY_CO_RETURN_IF_ERROR(CheckWindow(start.assignment.spec, clock_.Now()));
    ASSAY_CO_RETURN_IF_ERROR(co_await parts_.create_repository(
        RepositoryOf(id), start.assignment.template_commit));
    ReachFaultPoint("repository.made");
  }
  using Response = v1::StartAttemptResponse;
  ASSAY_CO_ASSIGN_OR_RETURN(
      Response response,
      co_await store_.Write(
          [id, assignment = start.assignment, caller = context.caller,
           base_url = parts_.base_url, node = parts_.node,
           now = clock_.Now()](Transaction& tx) -> Expected<Response> {
            ASSAY_ASSIGN_OR_RETURN(const AttemptRecord attempt,
                                   StartIn(tx, id, assignment, node, now));
            Response started;
            ASSAY_ASSIGN_OR_RETURN(*started.mutable_attempt(),
                                   ShowAttempt(tx, attempt, caller, base_url));
            return started;
          }));
  ReachFaultPoint("attempt.started");
  if (parts_.on_clock_changed) parts_.on_clock_changed();
  if (parts_.feed != nullptr) parts_.feed->Touch(id);
  co_return response;
}

Async<v1::CreateGitTokenResponse> AttemptService::CreateGitToken(
    rpc::CallContext context, v1::CreateGitTokenRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(const AttemptId id,
                            ResolveAttempt(context.caller, request.name()));
  ASSAY_CO_ASSIGN_OR_RETURN(const AttemptRecord attempt,
                            co_await store_.Read([id](Transaction& tx) {
                              return tx.attempts.Get(id);
                            }));
  if (attempt.repository.empty())
    co_return FailedPrecondition(
        "the attempt has not started, so it has no repository yet; start it "
        "first");
  const bool may_push = context.caller.role == v1::ROLE_CANDIDATE;
  ASSAY_CO_ASSIGN_OR_RETURN(
      const identity::MintedToken token,
      co_await (may_push
                    ? identity_.CreateGitToken(id, attempt.repository)
                    : identity_.CreateGitReadToken(id, attempt.repository)));
  v1::CreateGitTokenResponse response;
  response.set_username(may_push ? kGitUser : kReaderUser);
  response.set_password(token.secret);
  response.set_clone_url(CloneUrl(parts_.base_url, attempt.repository));
  co_return response;
}

Async<v1::ListPushesResponse> AttemptService::ListPushes(
    rpc::CallContext context, v1::ListPushesRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(const AttemptId id,
                            ResolveAttempt(context.caller, request.attempt()));
  using Response = v1::ListPushesResponse;
  const storage::Page page{request.page_size(), request.page_token()};
  co_return co_await store_.Read(
      [id, page](Transaction& tx) -> Expected<Response> {
        ASSAY_RETURN_IF_ERROR(tx.attempts.Get(id));
        ASSAY_ASSIGN_OR_RETURN(const auto pushes, tx.pushes.List(id, page));
        Response response;
        for (const storage::PushRecord& push : pushes.items)
          *response.add_pushes() = ToProto(push);
        response.set_next_page_token(pushes.next_token);
        return response;
      });
}

}  // namespace assay::attempts
