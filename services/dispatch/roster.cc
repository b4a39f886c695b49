#include "services/dispatch/roster.h"

#include <algorithm>
#include <utility>

namespace assay::dispatch {

Attachment& Roster::Open(std::shared_ptr<WorkerLink> link,
                         std::chrono::steady_clock::time_point now) {
  const std::uint64_t id = next_attachment_++;
  return attachments_
      .emplace(id, Attachment{.id = id, .link = std::move(link), .heard = now})
      .first->second;
}

Attachment* Roster::Find(std::uint64_t attachment) {
  const auto it = attachments_.find(attachment);
  return it == attachments_.end() ? nullptr : &it->second;
}

Attachment* Roster::FindWorker(const WorkerId& worker) {
  for (auto& [id, attachment] : attachments_)
    if (attachment.worker == worker) return &attachment;
  return nullptr;
}

void Roster::Close(std::uint64_t attachment) { attachments_.erase(attachment); }

LiveLease& Roster::AddLease(storage::RunRecord run) {
  LiveLease& lease = leases_[run.id];
  // The content of a run does not change with its epoch.
  lease.run = std::move(run);
  return lease;
}

LiveLease* Roster::FindLease(const RunId& run, std::uint64_t epoch) {
  const auto it = leases_.find(run);
  if (it == leases_.end() || it->second.run.epoch != epoch) return nullptr;
  return &it->second;
}

void Roster::RemoveLease(const RunId& run) { leases_.erase(run); }

std::int32_t Roster::LeasesOf(const WorkerId& worker) const {
  return static_cast<std::int32_t>(std::ranges::count_if(
      leases_,
      [&](const auto& entry) { return entry.second.run.worker == worker; }));
}

std::vector<WorkerId> Roster::Room() const {
  // Places numbered within each worker: all first places come before any
  // second one.
  std::multimap<std::int32_t, WorkerId> places;
  for (const auto& [id, attachment] : attachments_) {
    if (attachment.worker.empty() || attachment.demand <= 0 ||
        !attachment.held_back.empty())
      continue;
    const std::int32_t held = LeasesOf(attachment.worker);
    const std::int32_t free =
        std::min(attachment.demand, attachment.slots - held);
    for (std::int32_t i = 0; i < free; ++i)
      places.emplace(held + i, attachment.worker);
  }
  std::vector<WorkerId> room;
  room.reserve(places.size());
  for (auto& [place, worker] : places) room.push_back(std::move(worker));
  return room;
}

}  // namespace assay::dispatch
