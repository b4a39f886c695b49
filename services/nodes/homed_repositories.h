#ifndef ASSAY_SERVICES_NODES_HOMED_REPOSITORIES_H_
#define ASSAY_SERVICES_NODES_HOMED_REPOSITORIES_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "proto/base/id.h"
#include "services/git_http/reconciler.h"
#include "services/git_http/repository_queue.h"
#include "services/nodes/homes.h"
#include "services/nodes/note_exchange.h"
#include "services/repositories/repositories.h"
#include "services/rpc/method_registry.h"
#include "services/storage/store.h"
#include "services/submissions/submission_refs.h"

namespace assay::nodes {

struct HomedOptions {
  // This node.
  std::string node;
  // Several coordinators can share the store.
  bool shared = false;
  std::filesystem::path data_dir;
  // How long what is to be erased waits for a backup to end.
  std::chrono::milliseconds removal_patience{4'000};
};

// What the domain asks of a repository, wherever its home is: what is to be
// read is brought here first, what is to be written makes this its home, and
// what others have to do they are told.
//
// Ownership: borrows all that it is made of. Threads: confined to `strand`.
class HomedRepositories {
 public:
  HomedRepositories(boost::asio::any_io_executor strand, storage::Store& store,
                    Homes& homes, repositories::Repositories& repositories,
                    git_http::RepositoryQueue& queue,
                    git_http::Reconciler& reconciler,
                    submissions::SubmissionRefs& refs, NoteExchange& exchange,
                    HomedOptions options);

  rpc::Async<void> Create(RepositoryId repository, std::string template_commit);
  // Everywhere. kUnavailable: a backup is being made.
  rpc::Async<void> Remove(RepositoryId repository);
  // Of one that is erased elsewhere.
  boost::asio::awaitable<void> RemoveCopy(RepositoryId repository);
  // Ends what a node began here and did not end.
  rpc::Async<void> Settle(RepositoryId repository);
  // Makes sure that it can be read here with `commit`, for some seconds.
  rpc::Async<void> AwaitCommit(RepositoryId repository, std::string commit);

  rpc::Async<void> WriteSubmissionRef(RepositoryId repository, int number,
                                      std::string commit);
  // All of them, if this is its home.
  boost::asio::awaitable<void> RepairRefs(RepositoryId repository);
  rpc::Async<std::string> WriteOfferCommit(RepositoryId repository,
                                           std::string base,
                                           std::string offered);
  rpc::Async<void> WriteBranch(RepositoryId repository, std::string branch,
                               std::string commit);

  rpc::Async<repositories::Diff> ReadDiff(RepositoryId repository,
                                          std::string before,
                                          std::string after);
  rpc::Async<std::vector<repositories::CommitInfo>> ReadHistory(
      RepositoryId repository, std::string commit, int limit);
  rpc::Async<std::vector<repositories::Note>> ReadNotes(RepositoryId repository,
                                                        std::string before,
                                                        std::string commit);

 private:
  const boost::asio::any_io_executor strand_;
  storage::Store& store_;
  Homes& homes_;
  repositories::Repositories& repositories_;
  git_http::RepositoryQueue& queue_;
  git_http::Reconciler& reconciler_;
  submissions::SubmissionRefs& refs_;
  NoteExchange& exchange_;
  const HomedOptions options_;
};

}  // namespace assay::nodes

#endif  // ASSAY_SERVICES_NODES_HOMED_REPOSITORIES_H_
