#ifndef ASSAY_SERVICES_NODES_NODE_LOAD_H_
#define ASSAY_SERVICES_NODES_NODE_LOAD_H_

#include <vector>

#include "assay/v1/node_service.pb.h"
#include "services/dispatch/dispatcher.h"
#include "services/nodes/membership.h"
#include "services/overview/overview_service.h"
#include "services/workers/worker_service.h"

namespace assay::nodes {

// The workers attached here, as other nodes are told.
v1::NodeLoad LoadOf(const dispatch::Dispatcher& dispatcher);

// The workers of all nodes that are alive, for whoever asks who is attached.
std::vector<workers::AttachedWorker> AttachedAnywhere(
    const dispatch::Dispatcher& dispatcher, const Membership& membership);

// What a queued run may hope for. A node that is drained leases nothing, so
// that what its workers offer helps nobody.
overview::WorkerOffers OffersAnywhere(const dispatch::Dispatcher& dispatcher,
                                      const Membership& membership);

}  // namespace assay::nodes

#endif  // ASSAY_SERVICES_NODES_NODE_LOAD_H_
