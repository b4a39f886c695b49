// What workers report about runs, and how leases end.
#include <spdlog/spdlog.h>

#include <optional>
#include <string>
#include <utility>

#include "proto/base/fault_point.h"
#include "services/dispatch/dispatcher_state.h"
#include "services/runs/run_observer.h"

namespace assay::dispatch {
namespace {

// What an end that is the worker's own fault says of it.
std::optional<std::string> FaultIn(const v1::RunEvent::Finished& word) {
  if (word.outcome() != v1::Run::OUTCOME_ERRORED &&
      word.outcome() != v1::Run::OUTCOME_UNSPECIFIED)
    return std::nullopt;
  return word.reason();
}

}  // namespace

boost::asio::awaitable<void> Dispatcher::State::Report(Self self,
                                                       std::uint64_t session,
                                                       Attach::Report report) {
  const RunId run(report.run());
  const std::uint64_t epoch = report.epoch();
  const LiveLease* lease = self->Owned(session, run, epoch);
  if (lease == nullptr) {
    // A repeat of a last report whose acknowledgement was lost finds its run
    // ended; the worker drops what it still keeps of it.
    self->Revoke(session, run, epoch, "this worker has no lease on the run");
    co_return;
  }
  if (self->options.observer != nullptr && report.spans_size() > 0)
    self->options.observer->WorkerSpans(lease->run, report.spans());
  std::vector<v1::RunEvent> events(
      std::make_move_iterator(report.mutable_events()->begin()),
      std::make_move_iterator(report.mutable_events()->end()));
  std::optional<std::string> fault;
  if (!events.empty() && events.back().has_finished())
    fault = FaultIn(events.back().finished());
  ReachFaultPoint("report.read");
  const auto stored = co_await self->queue.Append(
      lease->run, report.first_offset(), std::move(events));
  if (!stored)
    co_return co_await Refused(self, session, run, epoch, stored.error());
  ReachFaultPoint("report.stored");
  if (stored->finished) ReachFaultPoint("verdict.stored");
  self->SendAck(session, run, epoch, stored->next_offset);
  if (!stored->finished) co_return;
  spdlog::info("run {} finished (epoch {})", run.str(), epoch);
  ++(fault ? self->counts.errored : self->counts.finished);
  if (fault)
    self->Blame(run, epoch, *std::move(fault));
  else
    self->Praise(session);
  self->roster.RemoveLease(run);
  self->Offer();
}

boost::asio::awaitable<void> Dispatcher::State::Refused(Self self,
                                                        std::uint64_t session,
                                                        RunId run,
                                                        std::uint64_t epoch,
                                                        Error error) {
  spdlog::warn("report of run {} refused: {}", run.str(), error.message);
  switch (error.code) {
    case Code::kAborted:
    case Code::kNotFound:
      if (self->roster.FindLease(run, epoch) != nullptr)
        self->roster.RemoveLease(run);
      self->Revoke(session, run, epoch, error.message);
      co_return;
    case Code::kUnavailable:
      // The store's trouble: nothing was stored and nothing is acknowledged,
      // so the stream ends and the worker sends it again.
      if (const Attachment* from = self->roster.Find(session))
        from->link->Close(error.Within("the report could not be stored"));
      co_return;
    default:
      // The report itself is wrong, and its repeat would be too.
      co_await HandBack(self, run, epoch, error.message,
                        &LeaseCounts::taken_back, true);
  }
}

boost::asio::awaitable<void> Dispatcher::State::HandBack(Self self, RunId run,
                                                         std::uint64_t epoch,
                                                         std::string reason,
                                                         Cause cause,
                                                         bool fault) {
  const auto done = co_await self->queue.HandBack(run, epoch, reason, fault);
  if (!done) {
    // Stale: whoever handed it back had lost it before.
    if (done.error().code != Code::kUnavailable &&
        self->roster.FindLease(run, epoch) != nullptr)
      self->Lost(run, done.error().message);
    spdlog::info("hand-back of run {} refused: {}", run.str(),
                 done.error().message);
    co_return;
  }
  ReachFaultPoint("handback.stored");
  ++(self->counts.*cause);
  self->Lost(run, reason);
  self->Offer();
}

boost::asio::awaitable<void> Dispatcher::State::TakeBack(Self self,
                                                         WorkerId worker,
                                                         std::string reason) {
  for (const auto& [run, epoch] : self->roster.ListLeasesOf(worker))
    co_await HandBack(self, run, epoch, reason, &LeaseCounts::taken_back,
                      /*fault=*/false);
}

}  // namespace assay::dispatch
