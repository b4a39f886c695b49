#include "services/submissions/submission_service.h"

#include <optional>
#include <utility>

#include "proto/base/fault_point.h"
#include "services/notify/outbox.h"
#include "services/rpc/register_method.h"
#include "services/rpc/resource_name.h"
#include "services/storage/once.h"
#include "services/submissions/submit.h"

namespace assay::submissions {
namespace {

using storage::AttemptRecord;
using storage::PushRecord;
using storage::Transaction;

constexpr std::size_t kMaxStatement = 10'000;

// A candidate's own attempt ("attempts/me" is one way to name it), or anybody's
// for those who may see all.
Expected<AttemptId> Resolve(const rpc::Caller& caller,
                            const std::string& name) {
  const bool candidate = caller.role == v1::ROLE_CANDIDATE;
  if (candidate && name == "attempts/me") return caller.attempt;
  ASSAY_ASSIGN_OR_RETURN(const AttemptId id,
                         rpc::ParseName<AttemptId>("attempts", name));
  if (candidate && id != caller.attempt)
    return NotFound("there is no attempt ", id);
  return id;
}

Status CheckOpen(const AttemptRecord& attempt, Clock::TimePoint now) {
  if (attempt.state == v1::Attempt::STATE_ACCEPTED)
    return FailedPrecondition("the attempt has not started; start it first");
  if (attempt.state == v1::Attempt::STATE_SUBMITTED ||
      (attempt.clock.cut_off_time && now > *attempt.clock.cut_off_time))
    return FailedPrecondition(
        "the cut-off has passed; what you pushed before it was handed in");
  return {};
}

// The push that brought `commit`, or the last one.
Expected<PushRecord> FindPush(Transaction& tx, const AttemptRecord& attempt,
                              const std::string& commit,
                              const std::string& graded_ref,
                              Clock::TimePoint now) {
  if (commit.empty()) {
    ASSAY_ASSIGN_OR_RETURN(const auto last,
                           tx.pushes.LastAccepted(attempt.id, graded_ref, now));
    if (!last)
      return FailedPrecondition("nothing was pushed to ", graded_ref,
                                " yet; commit your work, push it, then submit");
    return *last;
  }
  ASSAY_ASSIGN_OR_RETURN(
      const auto push, tx.pushes.FindByCommit(attempt.id, commit, graded_ref));
  if (!push)
    return FailedPrecondition("commit ", commit,
                              " was never pushed as the tip of a branch; push "
                              "it, then submit");
  if (push->late)
    return FailedPrecondition("commit ", commit, " was pushed too late");
  return *push;
}

Expected<Submitted> CreateIn(Transaction& tx, const AttemptId& id,
                             const v1::CreateSubmissionRequest& request,
                             const std::string& graded_ref,
                             Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(const AttemptRecord attempt, tx.attempts.Get(id));
  ASSAY_RETURN_IF_ERROR(CheckOpen(attempt, now));
  ASSAY_ASSIGN_OR_RETURN(const auto earlier, tx.submissions.List(id));
  if (earlier.size() >= SubmissionService::kMaxSubmissions)
    return ResourceExhausted("an attempt may have up to ",
                             SubmissionService::kMaxSubmissions,
                             " submissions; the last one counts");
  ASSAY_ASSIGN_OR_RETURN(
      const PushRecord push,
      FindPush(tx, attempt, request.commit(), graded_ref, now));
  ASSAY_ASSIGN_OR_RETURN(
      Submitted submitted,
      Submit(tx, attempt, push, v1::Submission::CAUSE_CANDIDATE, now, now,
             request.ai_statement()));
  ASSAY_RETURN_IF_ERROR(notify::Tell(
      tx,
      {.topic = "submission",
       .recipient = attempt.candidate_email,
       .subject = "Your work was handed in",
       .body = "Commit " + submitted.submission.commit +
               " was handed in. Until the deadline you may push and hand in "
               "again; the last one counts.",
       .attempt = id},
      now));
  ASSAY_RETURN_IF_ERROR(
      tx.audit.Append({.time = now,
                       .actor = "candidate",
                       .action = "submission.create",
                       .subject = ToProto(submitted.submission).name(),
                       .detail = "commit " + submitted.submission.commit}));
  return submitted;
}

}  // namespace

SubmissionService::SubmissionService(storage::Store& store, runs::RunFeed& feed,
                                     SubmissionRefs& refs, const Clock& clock,
                                     std::string graded_ref)
    : store_(store),
      feed_(feed),
      refs_(refs),
      clock_(clock),
      graded_ref_(std::move(graded_ref)) {}

void SubmissionService::Register(rpc::MethodRegistry& registry) {
  const std::string service = "assay.v1.SubmissionService/";
  rpc::Register(registry, service + "CreateSubmission", this,
                &SubmissionService::Create);
  rpc::Register(registry, service + "ListSubmissions", this,
                &SubmissionService::List);
}

rpc::Async<v1::CreateSubmissionResponse> SubmissionService::Create(
    rpc::CallContext context, v1::CreateSubmissionRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(const AttemptId id,
                            Resolve(context.caller, request.attempt()));
  if (request.ai_statement().size() > kMaxStatement)
    co_return InvalidArgument("ai_statement may have up to ", kMaxStatement,
                              " bytes, found ", request.ai_statement().size());
  using Response = v1::CreateSubmissionResponse;
  struct Made {
    Response response;
    // Absent for a repeated request.
    std::optional<Submitted> submitted;
  };
  ASSAY_CO_ASSIGN_OR_RETURN(
      const Made made,
      co_await store_.Write([id, context, request, ref = graded_ref_,
                             now = clock_.Now()](
                                Transaction& tx) -> Expected<Made> {
        Made result;
        const storage::RequestKey key{
            context.caller.token.str(),
            "assay.v1.SubmissionService/CreateSubmission",
            request.request_id()};
        ASSAY_ASSIGN_OR_RETURN(
            result.response,
            storage::Once<Response>(
                tx, key, request, now, [&]() -> Expected<Response> {
                  ASSAY_ASSIGN_OR_RETURN(result.submitted,
                                         CreateIn(tx, id, request, ref, now));
                  Response response;
                  *response.mutable_submission() =
                      ToProto(result.submitted->submission);
                  return response;
                }));
        return result;
      }));
  if (made.submitted) {
    ReachFaultPoint("submit.stored");
    feed_.Publish(made.submitted->changes);
    // The row is durable, and the next start writes the ref if this fails.
    (void)co_await refs_.Write(made.submitted->submission);
  }
  co_return made.response;
}

rpc::Async<v1::ListSubmissionsResponse> SubmissionService::List(
    rpc::CallContext context, v1::ListSubmissionsRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(const AttemptId id,
                            Resolve(context.caller, request.attempt()));
  using Response = v1::ListSubmissionsResponse;
  co_return co_await store_.Read([id](Transaction& tx) -> Expected<Response> {
    ASSAY_RETURN_IF_ERROR(tx.attempts.Get(id));
    ASSAY_ASSIGN_OR_RETURN(const auto submissions, tx.submissions.List(id));
    Response response;
    for (const storage::SubmissionRecord& submission : submissions)
      *response.add_submissions() = ToProto(submission);
    return response;
  });
}

}  // namespace assay::submissions
