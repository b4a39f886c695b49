#ifndef ASSAY_SERVICES_NODES_PEERS_H_
#define ASSAY_SERVICES_NODES_PEERS_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "assay/v1/peer_service.pb.h"
#include "proto/base/id.h"
#include "services/nodes/membership.h"
#include "services/rpc/method_registry.h"
#include "services/runs/run_feed.h"

namespace assay::nodes {

struct PeerOptions {
  // What this node shows to the others.
  std::string token;
  // Certificates (PEM) that vouch for the others; empty: they speak no TLS.
  std::string roots;
};

// Follows runs that are watched here and executed at other nodes: their events
// come over a stream from node to node, and into this node's feed, without a
// look into the store. A stream that is not there is made again with the next
// Sync; until then the sweep tells watchers to read.
//
// Ownership: borrows membership and feed. Threads: confined to `strand`.
class Peers {
 public:
  Peers(boost::asio::any_io_executor strand, const Membership& membership,
        runs::RunFeed& feed);
  ~Peers();
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  // Nothing is followed before.
  void Start(PeerOptions options);
  // Somebody watches this run from now on.
  void Follow(const RunId& run);
  // Follows what is watched, at the nodes that are alive, and nothing else.
  void Sync();
  // Ends every stream.
  boost::asio::awaitable<void> Stop();

 private:
  class State;
  std::shared_ptr<State> state_;
};

// assay.v1.PeerService.
//
// Ownership: borrows the feed. Threads: confined to the coordinator's strand.
class PeerService {
 public:
  explicit PeerService(runs::RunFeed& feed) : feed_(feed) {}
  void Register(rpc::MethodRegistry& registry);

 private:
  rpc::Async<void> FollowRun(rpc::CallContext context,
                             v1::FollowRunRequest request,
                             rpc::StreamWriter<v1::FollowRunResponse> writer);

  runs::RunFeed& feed_;
};

}  // namespace assay::nodes

#endif  // ASSAY_SERVICES_NODES_PEERS_H_
