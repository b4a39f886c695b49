#include "services/nodes/node_load.h"

#include <chrono>

#include "services/runs/placement.h"

namespace assay::nodes {
namespace {

v1::NodeLoad::Offer ToProto(const storage::Needs& needs) {
  v1::NodeLoad::Offer offer;
  offer.set_milli_cpus(needs.milli_cpus);
  offer.set_memory_bytes(needs.memory_bytes);
  offer.set_pool(needs.pool);
  offer.mutable_labels()->insert(needs.labels.begin(), needs.labels.end());
  return offer;
}

storage::Needs OfferOf(const v1::NodeLoad::Worker& worker) {
  // What it does not say is not held against it.
  if (!worker.has_offer()) return runs::Room().offer;
  const v1::NodeLoad::Offer& offer = worker.offer();
  return {.milli_cpus = offer.milli_cpus(),
          .memory_bytes = offer.memory_bytes(),
          .pool = offer.pool(),
          .labels = {offer.labels().begin(), offer.labels().end()}};
}

// `load` and that of the others that `counts` says yes to.
template <class Counts>
v1::NodeLoad WithOthers(v1::NodeLoad load, const Membership& membership,
                        Counts counts) {
  for (const storage::NodeRecord& node : membership.others())
    if (membership.StandingOf(node) == Membership::Standing::kLive &&
        counts(node))
      load.MergeFrom(node.load);
  return load;
}

}  // namespace

v1::NodeLoad LoadOf(const dispatch::Dispatcher& dispatcher) {
  v1::NodeLoad load;
  for (const auto& info : dispatcher.Workers()) {
    v1::NodeLoad::Worker& worker = *load.add_workers();
    worker.set_name(info.name);
    worker.set_slots(info.slots);
    worker.set_busy(info.busy);
    worker.set_held_back(!info.held_back.empty());
    *worker.mutable_offer() = ToProto(info.offer);
    worker.set_clock_ahead_us(info.clock_ahead.count());
  }
  return load;
}

std::vector<workers::AttachedWorker> AttachedAnywhere(
    const dispatch::Dispatcher& dispatcher, const Membership& membership) {
  const v1::NodeLoad load =
      WithOthers(LoadOf(dispatcher), membership,
                 [](const storage::NodeRecord&) { return true; });
  std::vector<workers::AttachedWorker> attached;
  for (const v1::NodeLoad::Worker& worker : load.workers())
    attached.push_back({worker.name(), worker.slots(), worker.busy(),
                        std::chrono::microseconds(worker.clock_ahead_us())});
  return attached;
}

overview::WorkerOffers OffersAnywhere(const dispatch::Dispatcher& dispatcher,
                                      const Membership& membership) {
  const v1::NodeLoad load = WithOthers(
      membership.draining() ? v1::NodeLoad() : LoadOf(dispatcher), membership,
      [](const storage::NodeRecord& node) { return !node.draining; });
  overview::WorkerOffers workers;
  for (const v1::NodeLoad::Worker& worker : load.workers()) {
    if (worker.held_back()) continue;
    workers.slots += worker.slots();
    workers.offers.push_back(OfferOf(worker));
  }
  return workers;
}

}  // namespace assay::nodes
