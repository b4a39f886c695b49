#ifndef ASSAY_SERVICES_NODES_HOMES_H_
#define ASSAY_SERVICES_NODES_HOMES_H_

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "assay/v1/file_tree.pb.h"
#include "proto/base/clock.h"
#include "proto/base/id.h"
#include "services/git_http/repository_queue.h"
#include "services/nodes/membership.h"
#include "services/repositories/repositories.h"
#include "services/rpc/method_registry.h"
#include "services/storage/store.h"
#include "services/storage/tables/repositories.h"

namespace assay::storage {
class BlobStore;
}

namespace assay::nodes {

struct HomeParts {
  // Ends the pushes to this repository that a node began and did not end: it
  // is here now, and nobody pushes meanwhile.
  std::function<rpc::Async<void>(RepositoryId)> settle;
};

// Where repositories are, when several coordinators share a store. Each has a
// home: the node that takes pushes for it, which the store checks with every
// write. Before a push is confirmed its home puts the whole repository into the
// blob store as a bundle, and names it in the row. So any node can have a copy
// to read from, and the home moves to where the next push arrives: by one
// conditional write, which fails when the home has named another bundle
// meanwhile.
//
// With one node nothing of this is done.
//
// Ownership: borrows all that it is made of. Threads: confined to the strand.
// Errors: kUnavailable when the bundle lacks what was pushed and its home may
// still bring it; kAborted when the home is another by now.
class Homes {
 public:
  Homes(storage::Store& store, storage::BlobStore& blobs,
        repositories::Repositories& repositories,
        git_http::RepositoryQueue& queue, const Membership& membership,
        const Clock& clock, HomeParts parts);

  // Makes the repository on this disk what its row says, for reading; with
  // `commit` unless that is empty.
  rpc::Async<void> Prepare(RepositoryId repository, std::string commit);
  // Makes this node its home.
  rpc::Async<void> Claim(RepositoryId repository);
  // Puts what has changed where others find it. By whoever has the place in
  // the queue, at the home.
  rpc::Async<void> Keep(RepositoryId repository);
  // Whether this node is its home. What has no row is everybody's.
  rpc::Async<bool> IsHere(RepositoryId repository);

  // Keeps a template's files too, for other nodes.
  rpc::Async<std::string> CreateTemplate(v1::FileTree files);
  // Makes a template here that another node was given.
  rpc::Async<void> PrepareTemplate(std::string commit);

  // Keeps what was not kept in time, and takes over what its node has left
  // open, or was lost with. Returns at once when it still does so.
  boost::asio::awaitable<void> Sweep();
  void Stop() { stopped_ = true; }

 private:
  using Record = storage::RepositoryRecord;

  rpc::Async<void> Fetch(Record record);
  rpc::Async<void> ClaimOnce(RepositoryId repository);
  rpc::Async<std::vector<storage::PushRecord>> ListAccepted(AttemptId attempt);
  // Pushes that were accepted and are not in this node's copy.
  rpc::Async<std::vector<storage::PushRecord>> FindMissing(Record record);
  boost::asio::awaitable<void> KeepAll();
  boost::asio::awaitable<void> TakeOverOpen();
  // Whether no lost node had any.
  boost::asio::awaitable<bool> TakeOverLost();
  rpc::Async<void> KeepTemplates();

  storage::Store& store_;
  storage::BlobStore& blobs_;
  repositories::Repositories& repositories_;
  git_http::RepositoryQueue& queue_;
  const Membership& membership_;
  const Clock& clock_;
  const HomeParts parts_;
  // The bundle that a copy here was last made from.
  std::map<RepositoryId, std::string> copies_;
  // What could not be kept.
  std::set<RepositoryId> behind_;
  bool kept_all_ = false;
  // Repositories may have a home that is no longer.
  bool may_be_elsewhere_ = true;
  bool sweeping_ = false;
  bool stopped_ = false;
};

}  // namespace assay::nodes

#endif  // ASSAY_SERVICES_NODES_HOMES_H_
