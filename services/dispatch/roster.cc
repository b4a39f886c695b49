#include "services/dispatch/roster.h"

#include <algorithm>
#include <utility>

namespace assay::dispatch {

Attachment& Roster::Open(std::shared_ptr<WorkerLink> link, WorkerProof proof,
                         std::chrono::steady_clock::time_point now) {
  const std::uint64_t id = next_attachment_++;
  return attachments_
      .emplace(id, Attachment{.id = id,
                              .link = std::move(link),
                              .proof = std::move(proof),
                              .heard = now})
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
  if (Attachment* to = FindWorker(run.worker)) to->last_turn = ++turns_;
  LiveLease& lease = leases_[run.id];
  // The content of a run does not change with its epoch.
  lease.needs = storage::ParseNeeds(run.needs).value_or(storage::Needs());
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

std::vector<std::pair<RunId, std::uint64_t>> Roster::ListLeasesOf(
    const WorkerId& worker) const {
  std::vector<std::pair<RunId, std::uint64_t>> held;
  for (const auto& [run, lease] : leases_)
    if (lease.run.worker == worker) held.emplace_back(run, lease.run.epoch);
  return held;
}

std::vector<runs::Room> Roster::Rooms() const {
  std::vector<runs::Room> rooms;
  for (const auto& [id, attachment] : attachments_) {
    if (attachment.worker.empty() || !attachment.held_back.empty()) continue;
    runs::Room& room = rooms.emplace_back();
    room.worker = attachment.worker;
    room.offer = attachment.offer;
    room.last_turn = attachment.last_turn;
    room.failed = attachment.failed;
    room.free_milli_cpus = attachment.offer.milli_cpus;
    room.free_memory_bytes = attachment.offer.memory_bytes;
    for (const auto& [run, lease] : leases_) {
      if (lease.run.worker != attachment.worker) continue;
      ++room.busy;
      room.free_milli_cpus -= lease.needs.milli_cpus;
      room.free_memory_bytes -= lease.needs.memory_bytes;
    }
    room.places = std::min(attachment.demand, attachment.slots - room.busy);
  }
  return rooms;
}

}  // namespace assay::dispatch
