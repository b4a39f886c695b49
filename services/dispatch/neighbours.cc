// What other coordinators do to runs and workers that are known here.
#include <set>
#include <utility>

#include "services/dispatch/dispatcher_state.h"

namespace assay::dispatch {

using storage::RunRecord;

boost::asio::awaitable<void> Dispatcher::State::CheckLease(Self self,
                                                           RunId run) {
  const auto record = co_await self->queue.Get(run);
  if (!record && record.error().code != Code::kNotFound) co_return;
  const auto it = self->roster.leases().find(run);
  if (it == self->roster.leases().end()) co_return;
  // One of ours that was granted while the record was read is newer than it.
  const std::uint64_t epoch = it->second.run.epoch;
  if (record &&
      (record->epoch < epoch ||
       (record->epoch == epoch && record->state == v1::Run::STATE_RUNNING)))
    co_return;
  self->Lost(run, "another coordinator ended the lease");
}

boost::asio::awaitable<void> Dispatcher::State::ForgetStrays(Self self) {
  std::set<std::pair<RunId, std::uint64_t>> strays;
  for (const auto& [run, lease] : self->roster.leases())
    if (self->roster.FindWorker(lease.run.worker) == nullptr)
      strays.emplace(run, lease.run.epoch);
  if (strays.empty()) co_return;
  const auto running = co_await self->queue.ListRunning();
  if (!running) co_return;
  for (const RunRecord& run : *running) strays.erase({run.id, run.epoch});
  for (const auto& [run, epoch] : strays)
    if (self->roster.FindLease(run, epoch) != nullptr)
      self->roster.RemoveLease(run);
}

boost::asio::awaitable<void> Dispatcher::State::CheckStanding(
    Self self, std::string name) {
  const auto record = co_await self->book.Get(name);
  if (record) self->SetStanding(name, workers::HeldBack(*record));
}

boost::asio::awaitable<void> Dispatcher::State::CheckStandings(Self self) {
  bool any = false;
  for (const auto& [id, attached] : self->roster.attachments())
    any = any || !attached.name.empty();
  if (!any) co_return;
  const auto records = co_await self->book.List();
  if (!records) co_return;
  for (const storage::WorkerRecord& record : *records)
    self->SetStanding(record.name, workers::HeldBack(record));
}

}  // namespace assay::dispatch
