#include "services/runs/placement.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace assay::runs {
namespace {

using storage::Needs;
using storage::QueueHead;

// As the worker gives the cells of sidecars (runner/sidecars).
constexpr std::int64_t kPostgresBytes = std::int64_t{1} << 30;
constexpr std::int64_t kRedisBytes = std::int64_t{256} << 20;

bool Belongs(const Needs& offer, const Needs& needs) {
  return offer.pool == needs.pool &&
         std::ranges::all_of(needs.labels, [&](const auto& label) {
           const auto it = offer.labels.find(label.first);
           return it != offer.labels.end() && it->second == label.second;
         });
}

bool HasRoom(const Room& room, const Needs& needs) {
  return room.places > 0 && room.free_milli_cpus >= needs.milli_cpus &&
         room.free_memory_bytes >= needs.memory_bytes;
}

// The best of `rooms` by `key` that `fits`; null where none does.
template <class Fits, class Key>
Room* Best(std::vector<Room>& rooms, Fits fits, Key key) {
  Room* best = nullptr;
  for (Room& room : rooms)
    if (fits(room) && (best == nullptr || key(room) < key(*best))) best = &room;
  return best;
}

}  // namespace

Needs NeedsOf(const plan::v1::Plan& plan) {
  Needs needs;
  needs.milli_cpus =
      static_cast<std::int64_t>(std::ceil(plan.limits().cpus() * 1000));
  // At least the cell that builds, or that a command runs in.
  needs.memory_bytes =
      plan.limits().memory_bytes() * std::max(1, plan.services_size());
  for (const plan::v1::Sidecar& sidecar : plan.sidecars())
    needs.memory_bytes += sidecar.kind() == plan::v1::Sidecar::KIND_REDIS
                              ? kRedisBytes
                              : kPostgresBytes;
  return needs;
}

Needs NeedsOf(const storage::AssignmentRecord& assignment) {
  const v1::AssignmentSpec& spec = assignment.spec;
  return {.milli_cpus = assignment.milli_cpus,
          .memory_bytes = assignment.memory_bytes,
          .pool = spec.worker_pool(),
          .labels = {spec.worker_labels().begin(), spec.worker_labels().end()}};
}

bool Offers(const Needs& offer, const Needs& needs) {
  return Belongs(offer, needs) && offer.milli_cpus >= needs.milli_cpus &&
         offer.memory_bytes >= needs.memory_bytes;
}

std::optional<Choice> Place(std::span<const QueueHead> heads,
                            std::vector<Room> rooms) {
  const std::vector<Room> all = rooms;
  for (const QueueHead& head : heads) {
    const auto parsed = storage::ParseNeeds(head.needs);
    const Needs needs = parsed.value_or(Needs());
    const auto untried = [&](const Room& room) {
      return Offers(room.offer, needs) &&
             std::ranges::find(room.failed, head.run) == room.failed.end();
    };
    const bool failed_everywhere = std::ranges::none_of(all, untried);
    const auto suits = [&](const Room& room) {
      return failed_everywhere ? Offers(room.offer, needs) : untried(room);
    };
    const auto fits_now = [&](const Room& room) {
      return suits(room) && HasRoom(room, needs);
    };
    if (const Room* room = Best(rooms, fits_now, [](const Room& r) {
          return std::tuple(r.busy, -r.free_milli_cpus, r.last_turn);
        }))
      return Choice{head.run, room->worker};
    Room* const aside = Best(rooms, suits, [](const Room& r) {
      return std::tuple(-r.free_milli_cpus, -r.free_memory_bytes, r.busy);
    });
    if (aside != nullptr) rooms.erase(rooms.begin() + (aside - rooms.data()));
    if (rooms.empty()) break;
  }
  return std::nullopt;
}

std::string Misfit(const Needs& needs, std::span<const Needs> offers) {
  if (std::ranges::any_of(
          offers, [&](const Needs& offer) { return Offers(offer, needs); }))
    return {};
  if (offers.empty())
    return "no worker gets runs; `assay worker list` says why";
  std::vector<Needs> right;
  for (const Needs& offer : offers)
    if (Belongs(offer, needs)) right.push_back(offer);
  if (right.empty()) {
    const Needs wanted{.pool = needs.pool, .labels = needs.labels};
    return needs.pool.empty() && needs.labels.empty()
               ? "every worker is of a pool, and this assignment names none"
               : "no worker offers " + storage::DescribeNeeds(wanted) +
                     "; start one with --pool and --label, or change the "
                     "assignment";
  }
  const Needs& largest =
      *std::ranges::max_element(right, {}, [](const Needs& offer) {
        return std::tuple(offer.milli_cpus, offer.memory_bytes);
      });
  return "it needs " + storage::DescribeNeeds(needs) +
         ", and the largest worker offers " +
         storage::DescribeNeeds({.milli_cpus = largest.milli_cpus,
                                 .memory_bytes = largest.memory_bytes}) +
         "; start a larger one, or lower the suite's limits";
}

}  // namespace assay::runs
