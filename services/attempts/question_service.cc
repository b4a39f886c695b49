#include "services/attempts/question_service.h"

#include <utility>

#include "services/attempts/attempt_proto.h"
#include "services/attempts/clock.h"
#include "services/attempts/clock_changes.h"
#include "services/attempts/question_proto.h"
#include "services/notify/outbox.h"
#include "services/rpc/proto_time.h"
#include "services/rpc/register_method.h"
#include "services/rpc/resource_name.h"
#include "services/storage/once.h"

namespace assay::attempts {
namespace {

using storage::AttemptRecord;
using storage::QuestionRecord;
using storage::Transaction;

constexpr std::size_t kMaxText = 10'000;

Status CheckText(const char* field, const std::string& text) {
  if (text.empty() || text.size() > kMaxText)
    return InvalidArgument(field, " must have 1 to ", kMaxText,
                           " bytes, found ", text.size());
  return {};
}

Expected<QuestionRecord> AskIn(Transaction& tx, const AttemptId& id,
                               const std::string& text, Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(const AttemptRecord attempt, tx.attempts.Get(id));
  if (attempt.state == v1::Attempt::STATE_SUBMITTED)
    return FailedPrecondition(
        "the attempt is over; write to whoever invited "
        "you");
  ASSAY_ASSIGN_OR_RETURN(const std::int32_t waiting,
                         tx.questions.CountWaiting(id));
  if (waiting >= QuestionService::kMaxWaiting)
    return ResourceExhausted(waiting,
                             " questions wait for an answer already; wait for "
                             "one of them");
  QuestionRecord question;
  question.id = QuestionId::Random();
  question.attempt = id;
  question.assignment = attempt.assignment;
  question.text = text;
  question.ask_time = now;
  ASSAY_RETURN_IF_ERROR(tx.questions.Create(question));
  // To whoever answers: what is asked, not by whom.
  ASSAY_RETURN_IF_ERROR(
      notify::Tell(tx,
                   {.topic = "question",
                    .subject = "A question about " + attempt.assignment.str(),
                    .body = text + "\n\nAnswer with: assay question answer " +
                            question.id.str() + "\n",
                    .attempt = id},
                   now));
  return question;
}

// The clock goes on if it stands because of this question.
Status ResumeFor(Transaction& tx, const QuestionRecord& question,
                 const std::string& actor, Clock::TimePoint now) {
  if (!question.paused) return {};
  ASSAY_ASSIGN_OR_RETURN(const AttemptRecord attempt,
                         tx.attempts.Get(question.attempt));
  // Somebody may have resumed it by hand meanwhile.
  if (!attempt.clock.pause_time) return {};
  ASSAY_ASSIGN_OR_RETURN(const ClockRecord clock, Resume(attempt.clock, now));
  ASSAY_RETURN_IF_ERROR(ChangeClock(
      tx, attempt, clock,
      {.kind = "resume", .actor = actor, .reason = "the question was answered"},
      now));
  return {};
}

// To whoever asked; an answer for everybody, to every running attempt.
Status TellAnswer(Transaction& tx, const QuestionRecord& question,
                  Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(const AttemptRecord asker,
                         tx.attempts.Get(question.attempt));
  std::vector<AttemptRecord> attempts = {asker};
  if (question.shared) {
    ASSAY_ASSIGN_OR_RETURN(auto running,
                           tx.attempts.ListRunning(question.assignment));
    for (AttemptRecord& attempt : running)
      if (attempt.id != asker.id) attempts.push_back(std::move(attempt));
  }
  for (const AttemptRecord& attempt : attempts)
    ASSAY_RETURN_IF_ERROR(
        notify::Tell(tx,
                     {.topic = "answer",
                      .recipient = attempt.candidate_email,
                      .subject = "An answer to a question about your task",
                      .body = "Question:\n" + question.text + "\n\nAnswer:\n" +
                              question.answer + "\n",
                      .attempt = attempt.id},
                     now));
  return {};
}

}  // namespace

v1::Question ToProto(const QuestionRecord& question,
                     const rpc::Caller& caller) {
  v1::Question proto;
  proto.set_name(rpc::FormatName("questions", question.id));
  proto.set_assignment(rpc::FormatName("assignments", question.assignment));
  const bool own =
      caller.role == v1::ROLE_CANDIDATE && caller.attempt == question.attempt;
  if (own || caller.role == v1::ROLE_REVIEWER || caller.role == v1::ROLE_ADMIN)
    proto.set_attempt(rpc::FormatName("attempts", question.attempt));
  proto.set_text(question.text);
  *proto.mutable_ask_time() = rpc::ToProto(question.ask_time);
  proto.set_answer(question.answer);
  if (question.answer_time)
    *proto.mutable_answer_time() = rpc::ToProto(*question.answer_time);
  proto.set_shared(question.shared);
  proto.set_paused(question.paused);
  return proto;
}

QuestionService::QuestionService(storage::Store& store, const Clock& clock,
                                 std::function<void()> on_clock_changed,
                                 std::function<void(const AttemptId&)> changed)
    : store_(store),
      clock_(clock),
      on_clock_changed_(std::move(on_clock_changed)),
      on_changed_(std::move(changed)) {}

void QuestionService::Register(rpc::MethodRegistry& registry) {
  const std::string service = "assay.v1.QuestionService/";
  rpc::Register(registry, service + "AskQuestion", this, &QuestionService::Ask);
  rpc::Register(registry, service + "AnswerQuestion", this,
                &QuestionService::Answer);
  rpc::Register(registry, service + "PauseForQuestion", this,
                &QuestionService::Pause);
  rpc::Register(registry, service + "ListQuestions", this,
                &QuestionService::List);
}

Async<v1::AskQuestionResponse> QuestionService::Ask(
    rpc::CallContext context, v1::AskQuestionRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(const AttemptId id,
                            ResolveAttempt(context.caller, request.attempt()));
  ASSAY_CO_RETURN_IF_ERROR(CheckText("text", request.text()));
  using Response = v1::AskQuestionResponse;
  ASSAY_CO_ASSIGN_OR_RETURN(
      Response response,
      co_await store_.Write([id, context, request,
                             now = clock_.Now()](Transaction& tx) {
        const storage::RequestKey key{context.caller.token.str(),
                                      "assay.v1.QuestionService/AskQuestion",
                                      request.request_id()};
        return storage::Once<Response>(
            tx, key, request, now, [&]() -> Expected<Response> {
              ASSAY_ASSIGN_OR_RETURN(const QuestionRecord question,
                                     AskIn(tx, id, request.text(), now));
              Response response;
              *response.mutable_question() = ToProto(question, context.caller);
              return response;
            });
      }));
  if (on_changed_) on_changed_(id);
  co_return response;
}

Async<v1::AnswerQuestionResponse> QuestionService::Answer(
    rpc::CallContext context, v1::AnswerQuestionRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const QuestionId id,
      rpc::ParseName<QuestionId>("questions", request.name()));
  ASSAY_CO_RETURN_IF_ERROR(CheckText("answer", request.answer()));
  using Response = v1::AnswerQuestionResponse;
  struct Answered {
    Response response;
    AttemptId attempt;
  };
  ASSAY_CO_ASSIGN_OR_RETURN(
      const Answered done,
      co_await store_.Write([id, context, request, now = clock_.Now()](
                                Transaction& tx) -> Expected<Answered> {
        ASSAY_ASSIGN_OR_RETURN(QuestionRecord question, tx.questions.Get(id));
        ASSAY_RETURN_IF_ERROR(
            tx.questions.Answer(id, request.answer(), request.share(), now));
        ASSAY_RETURN_IF_ERROR(
            ResumeFor(tx, question, context.caller.label, now));
        ASSAY_RETURN_IF_ERROR(
            tx.audit.Append({.time = now,
                             .actor = context.caller.label,
                             .action = "question.answer",
                             .subject = rpc::FormatName("questions", id),
                             .detail = request.share() ? "to all" : ""}));
        ASSAY_ASSIGN_OR_RETURN(question, tx.questions.Get(id));
        ASSAY_RETURN_IF_ERROR(TellAnswer(tx, question, now));
        Answered answered{.attempt = question.attempt};
        *answered.response.mutable_question() =
            ToProto(question, context.caller);
        return answered;
      }));
  on_clock_changed_();
  if (on_changed_) on_changed_(request.share() ? AttemptId() : done.attempt);
  co_return done.response;
}

Async<v1::PauseForQuestionResponse> QuestionService::Pause(
    rpc::CallContext context, v1::PauseForQuestionRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const QuestionId id,
      rpc::ParseName<QuestionId>("questions", request.name()));
  struct Paused {
    v1::PauseForQuestionResponse response;
    AttemptId attempt;
  };
  ASSAY_CO_ASSIGN_OR_RETURN(
      const Paused done,
      co_await store_.Write([id, context, now = clock_.Now()](
                                Transaction& tx) -> Expected<Paused> {
        ASSAY_ASSIGN_OR_RETURN(QuestionRecord question, tx.questions.Get(id));
        if (question.answer_time)
          return FailedPrecondition("question ", id, " has an answer already");
        if (!question.paused) {
          ASSAY_ASSIGN_OR_RETURN(const AttemptRecord attempt,
                                 tx.attempts.Get(question.attempt));
          ASSAY_ASSIGN_OR_RETURN(const ClockRecord clock,
                                 attempts::Pause(attempt.clock, now));
          ASSAY_RETURN_IF_ERROR(ChangeClock(tx, attempt, clock,
                                            {.kind = "pause",
                                             .actor = context.caller.label,
                                             .reason = "a question waits"},
                                            now));
          ASSAY_RETURN_IF_ERROR(tx.questions.SetPaused(id, true));
          question.paused = true;
        }
        Paused paused{.attempt = question.attempt};
        *paused.response.mutable_question() = ToProto(question, context.caller);
        return paused;
      }));
  on_clock_changed_();
  if (on_changed_) on_changed_(done.attempt);
  co_return done.response;
}

Async<v1::ListQuestionsResponse> QuestionService::List(
    rpc::CallContext context, v1::ListQuestionsRequest request) {
  const bool candidate = context.caller.role == v1::ROLE_CANDIDATE;
  storage::QuestionFilter filter;
  if (candidate || !request.attempt().empty()) {
    ASSAY_CO_ASSIGN_OR_RETURN(
        filter.attempt,
        ResolveAttempt(context.caller, candidate && request.attempt().empty()
                                           ? "attempts/me"
                                           : request.attempt()));
  }
  if (context.caller.role == v1::ROLE_AUTHOR && !filter.attempt.empty())
    co_return PermissionDenied(
        "authors answer without seeing who asks; list by assignment");
  if (!candidate && !request.assignment().empty()) {
    ASSAY_CO_ASSIGN_OR_RETURN(
        filter.assignment,
        rpc::ParseName<AssignmentId>("assignments", request.assignment()));
  }
  using Response = v1::ListQuestionsResponse;
  const storage::Page page{request.page_size(), request.page_token()};
  co_return co_await store_.Read(
      [filter, page, candidate,
       caller = context.caller](Transaction& tx) mutable -> Expected<Response> {
        if (candidate) {
          ASSAY_ASSIGN_OR_RETURN(const AttemptRecord attempt,
                                 tx.attempts.Get(filter.attempt));
          filter.assignment = attempt.assignment;
          filter.with_shared = true;
        }
        ASSAY_ASSIGN_OR_RETURN(const auto questions,
                               tx.questions.List(filter, page));
        Response response;
        for (const QuestionRecord& question : questions.items)
          *response.add_questions() = ToProto(question, caller);
        response.set_next_page_token(questions.next_token);
        return response;
      });
}

}  // namespace assay::attempts
