#include "services/overview/overview_service.h"

#include <algorithm>
#include <utility>

#include "services/overview/statistics.h"
#include "services/rpc/proto_time.h"
#include "services/rpc/register_method.h"
#include "services/rpc/resource_name.h"

namespace assay::overview {
namespace {

using std::chrono::microseconds;
using storage::CandidateRow;
using storage::Transaction;
using Home = v1::GetHomeResponse;

constexpr std::int32_t kMostShown = 100;
// How many finished runs say how long one usually takes.
constexpr std::int32_t kRunSample = 50;

Home::Funnel ToProto(const storage::FunnelRow& row) {
  Home::Funnel funnel;
  funnel.set_assignment(rpc::FormatName("assignments", row.assignment));
  funnel.set_title(row.spec.title());
  funnel.set_version(row.version);
  funnel.set_check_count(row.check_count);
  funnel.set_max_points(row.max_points);
  funnel.set_invited(row.invited);
  funnel.set_accepted(row.accepted);
  funnel.set_started(row.started);
  funnel.set_submitted(row.submitted);
  funnel.set_decided(row.decided);
  return funnel;
}

Home::Waiting ToProto(const storage::WaitingRow& row, v1::Role role) {
  Home::Waiting waiting;
  waiting.set_kind(row.kind);
  waiting.set_assignment(rpc::FormatName("assignments", row.assignment));
  // Authors answer without learning who asks.
  if (row.kind != Home::Waiting::KIND_QUESTION || role != v1::ROLE_AUTHOR)
    waiting.set_attempt(rpc::FormatName("attempts", row.attempt));
  waiting.set_run(rpc::FormatName("runs", row.run));
  *waiting.mutable_since() = rpc::ToProto(row.since);
  return waiting;
}

// What says when queued runs will start, and whether.
struct Outlook {
  std::optional<microseconds> usual;
  std::vector<storage::Needs> offers;
  int slots = 0;
};

// Runs that are ahead go in rounds of as many as there are slots.
void WriteQueue(const std::vector<storage::QueuedRun>& queue,
                const Outlook& outlook, bool names, Clock::TimePoint now,
                Home& home) {
  std::int32_t position = 0;
  for (const storage::QueuedRun& queued : queue) {
    Home::QueuedRun& run = *home.add_queue();
    if (names) {
      run.set_run(rpc::FormatName("runs", queued.run));
      run.set_attempt(rpc::FormatName("attempts", queued.attempt));
    }
    run.set_assignment(rpc::FormatName("assignments", queued.assignment));
    run.set_kind(queued.kind);
    *run.mutable_queue_time() = rpc::ToProto(queued.queue_time);
    run.set_position(position);
    run.set_waits_for(runs::Misfit(
        storage::ParseNeeds(queued.needs).value_or(storage::Needs()),
        outlook.offers));
    // What fits nobody is passed over; where nobody is, everything waits.
    if (!run.waits_for().empty() && !outlook.offers.empty()) continue;
    const std::int64_t rounds = position++ / std::max(1, outlook.slots) + 1;
    if (!outlook.usual || outlook.slots <= 0) continue;
    // On average, those that run now are half done.
    *run.mutable_expected_start_time() =
        rpc::ToProto(now + *outlook.usual * rounds - *outlook.usual / 2);
  }
}

v1::Candidate::State StateOf(const CandidateRow& row, Clock::TimePoint now) {
  using C = v1::Candidate;
  if (row.attempt.empty()) {
    if (row.invitation_state == v1::Invitation::STATE_REVOKED)
      return C::STATE_REVOKED;
    return now >= row.expire_time ? C::STATE_EXPIRED : C::STATE_INVITED;
  }
  if (row.decision != v1::Decision::OUTCOME_UNSPECIFIED &&
      row.decision != v1::Decision::OUTCOME_HOLD)
    return C::STATE_DECIDED;
  switch (row.attempt_state) {
    case v1::Attempt::STATE_STARTED:
      return C::STATE_STARTED;
    case v1::Attempt::STATE_SUBMITTED:
      return row.submissions > 0 ? C::STATE_SUBMITTED
                                 : C::STATE_NOTHING_SUBMITTED;
    default:
      return C::STATE_ACCEPTED;
  }
}

// Reviewers do not learn whose work they rate.
v1::Candidate ToProto(const CandidateRow& row, bool names,
                      Clock::TimePoint now) {
  v1::Candidate person;
  person.set_invitation(rpc::FormatName("invitations", row.invitation));
  person.set_attempt(rpc::FormatName("attempts", row.attempt));
  if (names) {
    person.set_candidate_name(row.name);
    person.set_candidate_email(row.email);
  }
  person.set_state(StateOf(row, now));
  *person.mutable_invite_time() = rpc::ToProto(row.invite_time);
  if (row.start_time)
    *person.mutable_start_time() = rpc::ToProto(*row.start_time);
  if (row.deadline) *person.mutable_deadline() = rpc::ToProto(*row.deadline);
  if (row.submit_time)
    *person.mutable_submit_time() = rpc::ToProto(*row.submit_time);
  if (row.decide_time)
    *person.mutable_decide_time() = rpc::ToProto(*row.decide_time);
  person.set_decision(row.decision);
  person.set_assignment_version(row.assignment_version);
  person.set_accommodation(row.accommodation);
  person.set_paused(row.paused);
  person.set_push_count(row.pushes);
  person.set_submission_count(row.submissions);
  person.set_latest_run(rpc::FormatName("runs", row.latest_run));
  person.set_final_run(rpc::FormatName("runs", row.final_run));
  person.set_outcome(row.outcome);
  if (row.score) {
    person.set_earned_points(row.score->earned() + row.score->bonus());
    person.set_max_points(row.score->max());
  }
  return person;
}

}  // namespace

OverviewService::OverviewService(storage::Store& store, const Clock& clock,
                                 std::function<WorkerOffers()> workers)
    : store_(store), clock_(clock), workers_(std::move(workers)) {}

void OverviewService::Register(rpc::MethodRegistry& registry) {
  const std::string service = "assay.v1.OverviewService/";
  rpc::Register(registry, service + "GetHome", this, &OverviewService::GetHome);
  rpc::Register(registry, service + "ListCandidates", this,
                &OverviewService::ListCandidates);
  rpc::Register(registry, service + "GetStatistics", this,
                &OverviewService::GetStatistics);
}

rpc::Async<v1::GetHomeResponse> OverviewService::GetHome(
    rpc::CallContext context, v1::GetHomeRequest request) {
  const v1::Role role = context.caller.role;
  const bool names = role != v1::ROLE_OBSERVER;
  co_return co_await store_.Read([role, names, workers = workers_(),
                                  now = clock_.Now()](
                                     Transaction& tx) -> Expected<Home> {
    Home home;
    ASSAY_ASSIGN_OR_RETURN(const auto funnels, tx.overview.Funnels());
    for (const auto& funnel : funnels) *home.add_funnels() = ToProto(funnel);
    ASSAY_ASSIGN_OR_RETURN(const auto waiting, tx.overview.Waiting(kMostShown));
    home.set_waiting_count(waiting.count);
    if (names)
      for (const auto& row : waiting.longest)
        *home.add_waiting() = ToProto(row, role);
    ASSAY_ASSIGN_OR_RETURN(auto durations,
                           tx.overview.RunDurations(kRunSample));
    const auto usual = Percentile(durations, 50);
    if (usual) *home.mutable_usual_run_duration() = rpc::ToProto(*usual);
    ASSAY_ASSIGN_OR_RETURN(const auto queue, tx.queue.List(kMostShown));
    WriteQueue(queue, {usual, workers.offers, workers.slots}, names, now, home);
    ASSAY_ASSIGN_OR_RETURN(const auto counts, tx.runs.Count());
    home.set_queued_count(counts.queued);
    home.set_running_count(counts.running);
    *home.mutable_server_time() = rpc::ToProto(now);
    return home;
  });
}

rpc::Async<v1::ListCandidatesResponse> OverviewService::ListCandidates(
    rpc::CallContext context, v1::ListCandidatesRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const AssignmentId id,
      rpc::ParseName<AssignmentId>("assignments", request.assignment()));
  const storage::Page page{request.page_size(), request.page_token()};
  const bool names = context.caller.role != v1::ROLE_REVIEWER;
  using Response = v1::ListCandidatesResponse;
  co_return co_await store_.Read([id, page, names, now = clock_.Now()](
                                     Transaction& tx) -> Expected<Response> {
    ASSAY_RETURN_IF_ERROR(tx.assignments.Get(id));
    ASSAY_ASSIGN_OR_RETURN(const auto rows, tx.overview.Candidates(id, page));
    Response response;
    for (const CandidateRow& row : rows.items)
      *response.add_candidates() = ToProto(row, names, now);
    response.set_next_page_token(rows.next_token);
    return response;
  });
}

rpc::Async<v1::GetStatisticsResponse> OverviewService::GetStatistics(
    rpc::CallContext context, v1::GetStatisticsRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const AssignmentId id,
      rpc::ParseName<AssignmentId>("assignments", request.assignment()));
  const std::int32_t version = request.version();
  v1::GetStatisticsResponse response;
  ASSAY_CO_ASSIGN_OR_RETURN(
      const std::vector<storage::WaitRow> waits,
      co_await store_.Read([id, version](Transaction& tx)
                               -> Expected<std::vector<storage::WaitRow>> {
        ASSAY_RETURN_IF_ERROR(tx.assignments.Get(id, version));
        return tx.overview.Waits(id, version);
      }));
  *response.mutable_decisions() = SumUpWaits(waits, clock_.Now());
  Statistics statistics;
  // Page by page, so that nobody waits for all of them.
  storage::Page page{storage::Page::kMaxSize, ""};
  do {
    ASSAY_CO_ASSIGN_OR_RETURN(
        const auto runs,
        co_await store_.Read([id, version, page](Transaction& tx) {
          return tx.overview.Scored(id, version, page);
        }));
    for (const storage::ScoredRow& run : runs.items) statistics.Add(run);
    page.token = runs.next_token;
  } while (!page.token.empty());
  statistics.Write(response);
  co_return response;
}

}  // namespace assay::overview
