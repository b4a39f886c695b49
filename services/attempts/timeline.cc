#include "services/attempts/timeline.h"

#include <chrono>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>

#include "services/attempts/time_text.h"
#include "services/rpc/proto_time.h"
#include "services/rpc/resource_name.h"

namespace assay::attempts {
namespace {

using storage::Transaction;
using Entry = v1::TimelineEntry;

// Commits say when they were made, and may say anything. Shown where it
// cannot be: after the push that brought them, or long before there was a
// template to start from.
std::string Claim(const storage::PushRecord& push) {
  constexpr std::chrono::minutes kSkew{5};
  constexpr std::chrono::hours kLongBefore{24 * 365};
  if (!push.commit_time) return {};
  const auto ahead = *push.commit_time - push.receive_time;
  if (ahead <= kSkew && ahead >= -kLongBefore) return {};
  return ", its commit is dated " + TimeText(*push.commit_time);
}

std::string ClockText(const storage::ClockEventRecord& event) {
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(event.amount).count();
  const std::string amount =
      seconds % 60 == 0 ? std::to_string(std::abs(seconds) / 60) + " min"
                        : std::to_string(std::abs(seconds)) + " s";
  if (event.kind == "start") return "clock started";
  if (event.kind == "pause") return "clock paused";
  if (event.kind == "resume") return "clock resumed";
  if (event.kind == "extend")
    return "deadline moved " + amount + (seconds < 0 ? " earlier" : " later");
  if (event.kind == "credit") return amount + " of an outage given back";
  if (event.kind == "accommodate") return "time allowed changed";
  if (event.kind == "move") return "moved to another version";
  return "clock: " + event.kind;
}

class Timeline {
 public:
  Timeline(Transaction& tx, const AttemptId& attempt, const rpc::Caller& caller)
      : tx_(tx),
        attempt_(attempt),
        candidate_(caller.role == v1::ROLE_CANDIDATE),
        // Authors answer without learning who asks.
        questions_(caller.role != v1::ROLE_AUTHOR) {}

  Expected<std::vector<Entry>> Read() {
    ASSAY_ASSIGN_OR_RETURN(const storage::AttemptRecord attempt,
                           tx_.attempts.Get(attempt_));
    Add(attempt.create_time, Entry::KIND_CLOCK,
        attempt.reference ? "repository of the reference made"
                          : "invitation accepted");
    ASSAY_RETURN_IF_ERROR(ReadClock());
    ASSAY_RETURN_IF_ERROR(ReadPushes());
    ASSAY_RETURN_IF_ERROR(ReadRuns());
    ASSAY_RETURN_IF_ERROR(ReadSubmissions());
    if (questions_) ASSAY_RETURN_IF_ERROR(ReadQuestions());
    ASSAY_RETURN_IF_ERROR(ReadOffers());
    if (!candidate_) ASSAY_RETURN_IF_ERROR(ReadDecisions());
    std::vector<Entry> sorted;
    for (auto& [time, entry] : entries_) sorted.push_back(std::move(entry));
    return sorted;
  }

 private:
  Entry& Add(Clock::TimePoint time, Entry::Kind kind, std::string text) {
    Entry& entry = entries_.emplace(time, Entry())->second;
    *entry.mutable_time() = rpc::ToProto(time);
    entry.set_kind(kind);
    entry.set_text(std::move(text));
    return entry;
  }

  Status ReadClock() {
    ASSAY_ASSIGN_OR_RETURN(const auto events,
                           tx_.attempts.ListClockEvents(attempt_));
    for (const storage::ClockEventRecord& event : events) {
      std::string text = ClockText(event);
      if (!event.reason.empty()) text += ": " + event.reason;
      Entry& entry = Add(event.time, Entry::KIND_CLOCK, std::move(text));
      if (!candidate_) entry.set_actor(event.actor);
    }
    return {};
  }

  Status ReadPushes() {
    return EachPage([this](const storage::Page& page) -> Expected<std::string> {
      ASSAY_ASSIGN_OR_RETURN(const auto pushes,
                             tx_.pushes.List(attempt_, page));
      for (const storage::PushRecord& push : pushes.items) {
        std::string text = "push to " + push.ref;
        if (push.late) text += ", late";
        if (push.state == v1::Push::STATE_REFUSED)
          text += ", refused: " + push.refusal;
        text += Claim(push);
        Add(push.receive_time, Entry::KIND_PUSH, std::move(text))
            .set_subject(rpc::FormatName("attempts", attempt_) + "/" +
                         rpc::FormatName("pushes", push.id));
      }
      return pushes.next_token;
    });
  }

  Status ReadRuns() {
    return EachPage([this](const storage::Page& page) -> Expected<std::string> {
      ASSAY_ASSIGN_OR_RETURN(const auto runs,
                             tx_.runs.List({.attempt = attempt_}, page));
      for (const storage::RunRecord& run : runs.items) {
        if (!run.finish_time) continue;
        const std::string what =
            run.state == v1::Run::STATE_SUPERSEDED
                ? "replaced by a newer push"
                : v1::Run::Outcome_Name(run.outcome).substr(8);
        Add(*run.finish_time, Entry::KIND_RUN, "run ended: " + what)
            .set_subject(rpc::FormatName("runs", run.id));
      }
      return runs.next_token;
    });
  }

  Status ReadSubmissions() {
    ASSAY_ASSIGN_OR_RETURN(const auto submissions,
                           tx_.submissions.List(attempt_));
    for (const storage::SubmissionRecord& submission : submissions) {
      std::string text = submission.cause == v1::Submission::CAUSE_CANDIDATE
                             ? "handed in by the candidate"
                             : "handed in by the deadline";
      if (submission.commit.empty()) text += ", nothing was pushed";
      Add(submission.submit_time, Entry::KIND_SUBMISSION, std::move(text))
          .set_subject(rpc::FormatName("attempts", attempt_) + "/submissions/" +
                       std::to_string(submission.number));
    }
    return {};
  }

  Status ReadQuestions() {
    return EachPage([this](const storage::Page& page) -> Expected<std::string> {
      ASSAY_ASSIGN_OR_RETURN(const auto questions,
                             tx_.questions.List({.attempt = attempt_}, page));
      for (const storage::QuestionRecord& question : questions.items) {
        const std::string name = rpc::FormatName("questions", question.id);
        Add(question.ask_time, Entry::KIND_QUESTION, "question asked")
            .set_subject(name);
        if (question.answer_time)
          Add(*question.answer_time, Entry::KIND_QUESTION, "question answered")
              .set_subject(name);
      }
      return questions.next_token;
    });
  }

  Status ReadOffers() {
    ASSAY_ASSIGN_OR_RETURN(const auto offers,
                           tx_.template_offers.List(attempt_));
    for (const storage::TemplateOfferRecord& offer : offers)
      Add(offer.offer_time, Entry::KIND_PUSH,
          "a fix of the template was offered on branch " + offer.branch);
    return {};
  }

  Status ReadDecisions() {
    ASSAY_ASSIGN_OR_RETURN(const auto decisions, tx_.decisions.List(attempt_));
    for (const storage::DecisionRecord& decision : decisions)
      Add(decision.decide_time, Entry::KIND_DECISION,
          "decision: " + v1::Decision::Outcome_Name(decision.outcome).substr(8))
          .set_actor(decision.decider);
    return {};
  }

  // Calls `read` for each page; it answers with the next page's token.
  template <class Read>
  static Status EachPage(Read read) {
    storage::Page page{storage::Page::kMaxSize, ""};
    do {
      ASSAY_ASSIGN_OR_RETURN(page.token, read(page));
    } while (!page.token.empty());
    return {};
  }

  Transaction& tx_;
  const AttemptId& attempt_;
  const bool candidate_;
  const bool questions_;
  // Those of one moment stay in the order of reading.
  std::multimap<Clock::TimePoint, Entry> entries_;
};

}  // namespace

Expected<std::vector<v1::TimelineEntry>> ReadTimeline(
    Transaction& tx, const AttemptId& attempt, const rpc::Caller& caller) {
  return Timeline(tx, attempt, caller).Read();
}

}  // namespace assay::attempts
