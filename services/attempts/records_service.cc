#include "services/attempts/records_service.h"

#include <utility>
#include <vector>

#include "services/attempts/attempt_proto.h"
#include "services/attempts/decision_service.h"
#include "services/attempts/question_proto.h"
#include "services/attempts/timeline.h"
#include "services/rpc/proto_time.h"
#include "services/rpc/register_method.h"
#include "services/rpc/resource_name.h"
#include "services/runs/run_proto.h"
#include "services/submissions/submit.h"

namespace assay::attempts {
namespace {

using storage::AttemptRecord;
using storage::Transaction;

Status ExportRuns(Transaction& tx, const AttemptId& id,
                  v1::ExportAttemptResponse& out) {
  storage::Page page{storage::Page::kMaxSize, ""};
  do {
    ASSAY_ASSIGN_OR_RETURN(const auto runs,
                           tx.runs.List({.attempt = id}, page));
    for (const storage::RunRecord& run : runs.items) {
      ASSAY_ASSIGN_OR_RETURN(const auto results,
                             tx.run_events.ListResults(run.id, run.epoch));
      *out.add_runs() = runs::ToProto(run, results, 0);
    }
    page.token = runs.next_token;
  } while (!page.token.empty());
  return {};
}

Status ExportPushes(Transaction& tx, const AttemptId& id,
                    v1::ExportAttemptResponse& out) {
  storage::Page page{storage::Page::kMaxSize, ""};
  do {
    ASSAY_ASSIGN_OR_RETURN(const auto pushes, tx.pushes.List(id, page));
    for (const storage::PushRecord& push : pushes.items)
      *out.add_pushes() = ToProto(push);
    page.token = pushes.next_token;
  } while (!page.token.empty());
  return {};
}

Status ExportQuestions(Transaction& tx, const AttemptId& id,
                       const rpc::Caller& caller,
                       v1::ExportAttemptResponse& out) {
  storage::Page page{storage::Page::kMaxSize, ""};
  do {
    ASSAY_ASSIGN_OR_RETURN(const auto questions,
                           tx.questions.List({.attempt = id}, page));
    for (const storage::QuestionRecord& question : questions.items)
      *out.add_questions() = ToProto(question, caller);
    page.token = questions.next_token;
  } while (!page.token.empty());
  return {};
}

Expected<v1::ExportAttemptResponse> ExportIn(Transaction& tx,
                                             const AttemptId& id,
                                             const rpc::Caller& caller,
                                             const std::string& base_url) {
  v1::ExportAttemptResponse out;
  ASSAY_ASSIGN_OR_RETURN(const AttemptRecord attempt, tx.attempts.Get(id));
  ASSAY_ASSIGN_OR_RETURN(*out.mutable_attempt(),
                         ShowAttempt(tx, attempt, caller, base_url));
  ASSAY_RETURN_IF_ERROR(ExportPushes(tx, id, out));
  ASSAY_RETURN_IF_ERROR(ExportRuns(tx, id, out));
  ASSAY_RETURN_IF_ERROR(ExportQuestions(tx, id, caller, out));
  ASSAY_ASSIGN_OR_RETURN(const auto submissions, tx.submissions.List(id));
  for (const storage::SubmissionRecord& submission : submissions)
    *out.add_submissions() = submissions::ToProto(submission);
  ASSAY_ASSIGN_OR_RETURN(const auto decisions, tx.decisions.List(id));
  for (const storage::DecisionRecord& decision : decisions)
    *out.add_decisions() = ToProto(decision);
  ASSAY_ASSIGN_OR_RETURN(auto timeline, ReadTimeline(tx, id, caller));
  for (v1::TimelineEntry& entry : timeline)
    *out.add_timeline() = std::move(entry);
  return out;
}

Status EraseIn(Transaction& tx, const AttemptRecord& attempt,
               const std::string& actor, const std::string& reason,
               Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(const AttemptRecord current,
                         tx.attempts.Get(attempt.id));
  // Another coordinator was as fast.
  if (current.erase_time) return {};
  ASSAY_RETURN_IF_ERROR(tx.attempts.Erase(attempt.id, now));
  ASSAY_RETURN_IF_ERROR(tx.invitations.Erase(attempt.invitation));
  ASSAY_RETURN_IF_ERROR(tx.pushes.Erase(attempt.id));
  ASSAY_RETURN_IF_ERROR(tx.questions.Erase(attempt.id));
  ASSAY_RETURN_IF_ERROR(tx.submissions.Erase(attempt.id));
  ASSAY_RETURN_IF_ERROR(tx.notifications.Erase(attempt.id));
  ASSAY_RETURN_IF_ERROR(tx.run_events.EraseLogs(attempt.id));
  ASSAY_RETURN_IF_ERROR(tx.tokens.RevokeOfAttempt(attempt.id, now));
  ASSAY_RETURN_IF_ERROR(tx.repositories.Delete(attempt.repository));
  return tx.audit.Append({.time = now,
                          .actor = actor,
                          .action = "attempt.erase",
                          .subject = rpc::FormatName("attempts", attempt.id),
                          .detail = reason});
}

// Submitted attempts whose retention has run out.
Expected<std::vector<AttemptId>> FindExpired(Transaction& tx,
                                             Clock::TimePoint now) {
  std::vector<AttemptId> expired;
  storage::Page page{storage::Page::kMaxSize, ""};
  do {
    ASSAY_ASSIGN_OR_RETURN(const auto attempts,
                           tx.attempts.List(AssignmentId(), page));
    for (const AttemptRecord& attempt : attempts.items) {
      if (attempt.state != v1::Attempt::STATE_SUBMITTED || attempt.erase_time ||
          !attempt.clock.cut_off_time)
        continue;
      ASSAY_ASSIGN_OR_RETURN(
          const storage::AssignmentRecord assignment,
          tx.assignments.Get(attempt.assignment, attempt.assignment_version));
      if (assignment.spec.has_retention() &&
          now >= *attempt.clock.cut_off_time +
                     rpc::FromProto(assignment.spec.retention()))
        expired.push_back(attempt.id);
    }
    page.token = attempts.next_token;
  } while (!page.token.empty());
  return expired;
}

}  // namespace

RecordsService::RecordsService(storage::Store& store, const Clock& clock,
                               RemoveRepository remove_repository,
                               std::string base_url)
    : store_(store),
      clock_(clock),
      remove_repository_(std::move(remove_repository)),
      base_url_(std::move(base_url)) {}

void RecordsService::Register(rpc::MethodRegistry& registry) {
  const std::string service = "assay.v1.AttemptService/";
  rpc::Register(registry, service + "GetTimeline", this,
                &RecordsService::GetTimeline);
  rpc::Register(registry, service + "ExportAttempt", this,
                &RecordsService::Export);
  rpc::Register(registry, service + "EraseAttempt", this,
                &RecordsService::Erase);
}

Async<v1::GetTimelineResponse> RecordsService::GetTimeline(
    rpc::CallContext context, v1::GetTimelineRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(const AttemptId id,
                            ResolveAttempt(context.caller, request.attempt()));
  using Entries = std::vector<v1::TimelineEntry>;
  ASSAY_CO_ASSIGN_OR_RETURN(
      Entries entries,
      co_await store_.Read([id, caller = context.caller](Transaction& tx) {
        return ReadTimeline(tx, id, caller);
      }));
  v1::GetTimelineResponse response;
  for (v1::TimelineEntry& entry : entries)
    *response.add_entries() = std::move(entry);
  co_return response;
}

Async<v1::ExportAttemptResponse> RecordsService::Export(
    rpc::CallContext context, v1::ExportAttemptRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(const AttemptId id,
                            ResolveAttempt(context.caller, request.name()));
  co_return co_await store_.Read(
      [id, caller = context.caller, base_url = base_url_](Transaction& tx) {
        return ExportIn(tx, id, caller, base_url);
      });
}

Async<void> RecordsService::EraseOne(AttemptId id, std::string actor,
                                     std::string reason) {
  ASSAY_CO_ASSIGN_OR_RETURN(const AttemptRecord attempt,
                            co_await store_.Read([id](Transaction& tx) {
                              return tx.attempts.Get(id);
                            }));
  if (attempt.erase_time) co_return Status();
  ASSAY_CO_RETURN_IF_ERROR(CheckIsOfCandidate(attempt));
  if (attempt.state == v1::Attempt::STATE_STARTED)
    co_return FailedPrecondition("attempt ", id,
                                 " runs; erase it after its deadline");
  // The disk first: what fails here is repeated as a whole, while a row that
  // forgot its repository could not be.
  if (!attempt.repository.empty())
    ASSAY_CO_RETURN_IF_ERROR(co_await remove_repository_(attempt.repository));
  co_return co_await store_.Write(
      [attempt, actor, reason, now = clock_.Now()](Transaction& tx) {
        return EraseIn(tx, attempt, actor, reason, now);
      });
}

Async<v1::EraseAttemptResponse> RecordsService::Erase(
    rpc::CallContext context, v1::EraseAttemptRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(const AttemptId id,
                            ResolveAttempt(context.caller, request.name()));
  if (request.reason().empty())
    co_return InvalidArgument(
        "reason is empty; say why the data goes, it is kept for the record");
  ASSAY_CO_RETURN_IF_ERROR(
      co_await EraseOne(id, context.caller.label, request.reason()));
  using Response = v1::EraseAttemptResponse;
  co_return co_await store_.Read([id, caller = context.caller,
                                  base_url = base_url_](
                                     Transaction& tx) -> Expected<Response> {
    ASSAY_ASSIGN_OR_RETURN(const AttemptRecord attempt, tx.attempts.Get(id));
    Response response;
    ASSAY_ASSIGN_OR_RETURN(*response.mutable_attempt(),
                           ShowAttempt(tx, attempt, caller, base_url));
    return response;
  });
}

Async<int> RecordsService::EraseExpired() {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const std::vector<AttemptId> expired,
      co_await store_.Read([now = clock_.Now()](Transaction& tx) {
        return FindExpired(tx, now);
      }));
  int erased = 0;
  for (const AttemptId& id : expired) {
    ASSAY_CO_RETURN_IF_ERROR(
        co_await EraseOne(id, "system", "the assignment's retention ran out"));
    ++erased;
  }
  co_return erased;
}

}  // namespace assay::attempts
