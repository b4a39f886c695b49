#include "services/dispatch/dispatcher.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>

#include "proto/base/fault_point.h"
#include "services/dispatch/dispatcher_state.h"

namespace assay::dispatch {

using storage::RunRecord;

Dispatcher::State::State(boost::asio::any_io_executor strand_executor,
                         runs::RunQueue& queue_in, workers::WorkerBook& book_in,
                         const Clock& clock_in, ContentSources content_in,
                         DispatcherOptions options_in)
    : strand(std::move(strand_executor)),
      queue(queue_in),
      book(book_in),
      clock(clock_in),
      content(std::move(content_in)),
      options(std::move(options_in)),
      sweep_timer(strand) {}

void Dispatcher::State::Spawn(Task task) {
  boost::asio::co_spawn(strand, std::move(task), [](std::exception_ptr bug) {
    // An exception here is a bug, and going on would hide it.
    if (bug) std::rethrow_exception(bug);
  });
}

boost::asio::awaitable<Status> Dispatcher::State::Start(Self self) {
  if (self->HasOthers()) {
    self->Spawn(Sweep(self));
    co_return Status{};
  }
  auto running = co_await self->queue.ListRunning();
  if (!running) co_return std::unexpected(running.error());
  for (RunRecord& run : *running) {
    // While we were down nobody could renew: each lease gets a whole term for
    // its worker to come back.
    const auto renewed =
        co_await self->queue.Renew(run.id, run.epoch, self->options.lease_ttl);
    if (renewed) self->roster.AddLease(std::move(run));
  }
  self->Spawn(Sweep(self));
  co_return Status{};
}

boost::asio::awaitable<void> Dispatcher::State::Sweep(Self self) {
  while (!self->stopped) {
    self->CloseSilentLinks();
    co_await PutBackUnprepared(self);
    co_await ExpireSilent(self);
    // Not waited for: blobs may answer late.
    if (!std::exchange(self->measuring, true))
      self->Spawn(MeasureAdopted(self));
    if (!HasFault("sweeps.off")) {
      if (self->HasOthers()) {
        co_await ForgetStrays(self);
        co_await CheckStandings(self);
      }
      self->Offer();
    }
    if (self->stopped) break;
    self->sweep_timer.expires_after(self->options.sweep_interval);
    boost::system::error_code cancelled;
    co_await self->sweep_timer.async_wait(
        boost::asio::redirect_error(boost::asio::use_awaitable, cancelled));
  }
}

boost::asio::awaitable<void> Dispatcher::State::PutBackUnprepared(Self self) {
  struct Waiting {
    RunId run;
    std::uint64_t epoch;
    std::string reason;
  };
  std::vector<Waiting> waiting;
  const auto limit =
      std::chrono::steady_clock::now() - self->options.lease_ttl / 2;
  for (const auto& [run, lease] : self->roster.leases()) {
    if (!lease.preparing) continue;
    const std::string& failure = lease.preparing->failure;
    if (failure.empty() && lease.preparing->since > limit) continue;
    waiting.push_back(
        {run, lease.run.epoch,
         failure.empty() ? "what the run needs takes too long" : failure});
  }
  for (const Waiting& each : waiting)
    co_await HandBack(self, each.run, each.epoch, each.reason,
                      &LeaseCounts::taken_back, false);
}

boost::asio::awaitable<void> Dispatcher::State::ExpireSilent(Self self) {
  // Most sweeps find nothing: they must not cost a flush.
  const auto next = co_await self->queue.NextExpiry();
  if (next && next->has_value() && **next <= self->clock.Now()) {
    const auto expired = co_await self->queue.ExpireLeases();
    if (!expired)
      spdlog::error("leases could not be expired: {}", expired.error().message);
    else
      for (const RunRecord& run : *expired) {
        ReachFaultPoint("lease.expired");
        ++self->counts.expired;
        self->Lost(run.id, "the lease expired without a heartbeat");
      }
  }
  std::vector<std::pair<RunId, std::uint64_t>> overdue;
  const auto now = std::chrono::steady_clock::now();
  for (const auto& [run, lease] : self->roster.leases())
    if (lease.end <= now) overdue.emplace_back(run, lease.run.epoch);
  for (const auto& [run, epoch] : overdue) {
    self->Blame(run, epoch, "it went on past the run's own limit");
    co_await HandBack(self, run, epoch,
                      "the worker went on past the run's own limit",
                      &LeaseCounts::overdue, true);
  }
}

void Dispatcher::State::CloseSilentLinks() {
  const auto limit = std::chrono::steady_clock::now() - options.lease_ttl;
  std::vector<std::shared_ptr<WorkerLink>> silent;
  for (const auto& [id, attachment] : roster.attachments())
    if (attachment.heard < limit) silent.push_back(attachment.link);
  for (const auto& link : silent)
    link->Close(Error{Code::kDeadlineExceeded,
                      "no heartbeat within the lease's term; reconnect"});
}

void Dispatcher::State::Lost(const RunId& run, const std::string& reason) {
  spdlog::warn("run {} lost its lease: {}", run.str(), reason);
  const auto it = roster.leases().find(run);
  if (it == roster.leases().end()) return;
  const std::uint64_t epoch = it->second.run.epoch;
  const WorkerId worker = it->second.run.worker;
  const bool known_there = !it->second.preparing;
  roster.RemoveLease(run);
  Attachment* holder = roster.FindWorker(worker);
  if (holder == nullptr) return;
  // It waits for a lease that it never heard of, and will not ask again.
  if (!known_there) ++holder->demand;
  if (known_there) Revoke(holder->id, run, epoch, reason);
}

runner::v1::AttachResponse Dispatcher::State::DrainMessage() const {
  runner::v1::AttachResponse response;
  response.mutable_drain()->set_elsewhere(elsewhere);
  return response;
}

void Dispatcher::State::SendTo(std::uint64_t session,
                               runner::v1::AttachResponse response) {
  if (const Attachment* to = roster.Find(session))
    to->link->Send(std::move(response));
}

void Dispatcher::State::Revoke(std::uint64_t session, const RunId& run,
                               std::uint64_t epoch, std::string reason) {
  runner::v1::AttachResponse response;
  auto& revoke = *response.mutable_revoke();
  revoke.set_run(run.str());
  revoke.set_epoch(epoch);
  revoke.set_reason(std::move(reason));
  SendTo(session, std::move(response));
}

void Dispatcher::State::SendAck(std::uint64_t session, const RunId& run,
                                std::uint64_t epoch, std::int64_t next_offset) {
  runner::v1::AttachResponse response;
  auto& ack = *response.mutable_ack();
  ack.set_run(run.str());
  ack.set_epoch(epoch);
  ack.set_next_offset(next_offset);
  SendTo(session, std::move(response));
}

Dispatcher::Dispatcher(boost::asio::any_io_executor strand,
                       runs::RunQueue& queue, workers::WorkerBook& book,
                       const Clock& clock, ContentSources content,
                       DispatcherOptions options)
    : state_(std::make_shared<State>(std::move(strand), queue, book, clock,
                                     std::move(content), std::move(options))) {}

Dispatcher::~Dispatcher() { Stop(); }

boost::asio::awaitable<Status> Dispatcher::Start() {
  return State::Start(state_);
}

void Dispatcher::RunQueued() { state_->Offer(); }

void Dispatcher::SweepNow() { state_->sweep_timer.cancel(); }

void Dispatcher::RunChanged(RunId run) {
  if (state_->roster.leases().contains(run))
    state_->Spawn(State::CheckLease(state_, std::move(run)));
}

void Dispatcher::WorkerChanged(std::string name) {
  state_->Spawn(State::CheckStanding(state_, std::move(name)));
}

void Dispatcher::HoldBack(const std::string& name,
                          const std::string& held_back) {
  state_->SetStanding(name, held_back);
}

void Dispatcher::Drain(bool elsewhere) {
  state_->draining = true;
  state_->elsewhere = elsewhere;
  for (const auto& [id, attachment] : state_->roster.attachments())
    if (!attachment.worker.empty())
      attachment.link->Send(state_->DrainMessage());
}

void Dispatcher::Stop() {
  if (std::exchange(state_->stopped, true)) return;
  state_->sweep_timer.cancel();
  std::vector<std::shared_ptr<WorkerLink>> links;
  for (const auto& [id, attachment] : state_->roster.attachments())
    links.push_back(attachment.link);
  for (const auto& link : links)
    link->Close(Error{Code::kUnavailable, "the coordinator is stopping"});
}

std::vector<Dispatcher::WorkerInfo> Dispatcher::Workers() const {
  std::vector<WorkerInfo> workers;
  for (const auto& [id, attachment] : state_->roster.attachments()) {
    if (attachment.worker.empty()) continue;
    workers.push_back(
        WorkerInfo{.name = attachment.name,
                   .held_back = attachment.held_back,
                   .slots = attachment.slots,
                   .busy = state_->roster.LeasesOf(attachment.worker),
                   .offer = attachment.offer,
                   .attach_time = attachment.attach_time,
                   .clock_ahead = attachment.clock_ahead});
  }
  std::ranges::sort(workers, {}, &WorkerInfo::name);
  return workers;
}

LeaseCounts Dispatcher::counts() const { return state_->counts; }

std::size_t Dispatcher::LeaseCount() const {
  return state_->roster.leases().size();
}

Dispatcher::SessionId Dispatcher::Open(std::shared_ptr<WorkerLink> link,
                                       WorkerProof proof) {
  return state_->roster
      .Open(std::move(link), std::move(proof), std::chrono::steady_clock::now())
      .id;
}

boost::asio::awaitable<void> Dispatcher::Expel(std::string name, Error why) {
  return State::Expel(state_, std::move(name), std::move(why));
}

boost::asio::awaitable<void> Dispatcher::Handle(
    SessionId session, runner::v1::AttachRequest request) {
  return State::Handle(state_, session, std::move(request));
}

void Dispatcher::Closed(SessionId session) { state_->roster.Close(session); }

}  // namespace assay::dispatch
