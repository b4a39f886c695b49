#ifndef ASSAY_SERVICES_NODES_MEMBERSHIP_H_
#define ASSAY_SERVICES_NODES_MEMBERSHIP_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proto/base/clock.h"
#include "services/nodes/node_name.h"
#include "services/rpc/method_registry.h"
#include "services/storage/store.h"
#include "services/storage/tables/nodes.h"

namespace assay::storage {
class BlobStore;
}

namespace assay::nodes {

struct MembershipOptions {
  std::string version = "dev";
  // Zero: this is the only node there can be, and says nothing.
  std::chrono::milliseconds heartbeat{1'000};
  // A node that has said nothing for so long is passed over.
  std::chrono::milliseconds silent_after{5'000};
  // And after so long its repositories are made again elsewhere.
  std::chrono::milliseconds lost_after{120'000};
  // What it says of itself.
  std::function<v1::NodeLoad()> load = [] { return v1::NodeLoad(); };
};

// This coordinator among those that share the store: its row, its heartbeat,
// and who else there is, as of the last heartbeat.
//
// Nothing is decided by this view: it says where to look and whom to ask, and
// whoever acts on it writes under a condition that the store checks.
//
// Ownership: borrows store, blobs and clock. Threads: confined to `strand`.
class Membership {
 public:
  enum class Standing { kLive, kSilent, kLost };

  Membership(boost::asio::any_io_executor strand, storage::Store& store,
             storage::BlobStore& blobs, const Clock& clock, NodeName self,
             MembershipOptions options);
  ~Membership();
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;

  // Enters this node, and gives it the repositories that have no home yet.
  //
  // kAlreadyExists: the name is another data directory's.
  // kFailedPrecondition: another node keeps its blobs in another place.
  rpc::Async<void> Join();
  // Says where it serves, and goes on saying that it is there.
  // `on_beat` is called after each heartbeat that was answered; `on_forgotten`
  // when somebody has removed this node's row.
  void Serve(std::string grpc_address, std::string web_address,
             std::function<void()> on_beat, std::function<void()> on_forgotten);
  void Stop();
  // Looks at the rows before the next heartbeat is due.
  void Wake();

  const std::string& name() const { return self_.name; }
  bool draining() const { return draining_; }
  // Every node but this one.
  const std::vector<storage::NodeRecord>& others() const { return others_; }
  bool alone() const { return others_.empty(); }
  // Null: there is none of that name.
  const storage::NodeRecord* Find(const std::string& name) const;
  Standing StandingOf(const storage::NodeRecord& node) const;
  // Of a name: kLost where it was forgotten, kLive for this one.
  Standing StandingOf(const std::string& name) const;
  bool HasLiveOthers() const;
  // One that is alive and not drained.
  bool HasServingOthers() const;

 private:
  boost::asio::awaitable<void> Loop(std::shared_ptr<bool> alive);
  rpc::Async<void> Beat(std::shared_ptr<bool> alive);
  rpc::Async<void> CheckBlobs();

  const boost::asio::any_io_executor strand_;
  storage::Store& store_;
  storage::BlobStore& blobs_;
  const Clock& clock_;
  const NodeName self_;
  const MembershipOptions options_;
  boost::asio::steady_timer timer_;
  std::function<void()> on_beat_;
  std::function<void()> on_forgotten_;
  std::string grpc_address_;
  std::string web_address_;
  std::vector<storage::NodeRecord> others_;
  bool draining_ = false;
  bool stopped_ = false;
  // False once this is gone.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace assay::nodes

#endif  // ASSAY_SERVICES_NODES_MEMBERSHIP_H_
