#ifndef ASSAY_SERVICES_MAINTENANCE_HOUSEKEEPER_H_
#define ASSAY_SERVICES_MAINTENANCE_HOUSEKEEPER_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <filesystem>
#include <functional>

#include "proto/base/error.h"
#include "services/gateway/one_shot.h"
#include "services/git_http/git_process.h"
#include "services/git_http/repository_queue.h"
#include "services/repositories/repositories.h"
#include "services/storage/store.h"

namespace assay::maintenance {

struct HousekeeperParts {
  // Erases what the assignments' retention has run out for.
  std::function<boost::asio::awaitable<Expected<int>>()> erase_expired;
  // Writes refs of submissions that are missing.
  std::function<boost::asio::awaitable<Expected<void>>()> repair_refs;
  // Holds the maintenance lock.
  std::filesystem::path data_dir;
  std::chrono::milliseconds interval{60 * 60'000};
  // Whose repositories are packed.
  std::string node = {};
  // A repository with more packs than this is packed anew: each push brings
  // one.
  int max_packs = 20;
};

// Does behind serving what nobody waits for, an hour after the start and every
// hour from then on.
//
// Packs are only ever put together: not one object is dropped, reachable or
// not, so that there is nothing that a submission could need and miss. Pushes
// to the repository wait as long, and a backup is not begun meanwhile.
//
// Ownership: borrows all that it is made of. Threads: confined to `strand`.
class Housekeeper {
 public:
  Housekeeper(boost::asio::any_io_executor strand, storage::Store& store,
              repositories::Repositories& repositories,
              git_http::RepositoryQueue& queue, HousekeeperParts parts);

  void Start();
  // Ends what is being done, and has ended when it returns. Only after Start.
  boost::asio::awaitable<void> Stop();
  // One round; answers with how many repositories were packed anew.
  boost::asio::awaitable<int> TidyAll();
  boost::asio::awaitable<Expected<bool>> Tidy(RepositoryId repository);

 private:
  boost::asio::awaitable<void> Loop();
  // Everything once, as far as Stop lets it.
  boost::asio::awaitable<void> Round();
  boost::asio::awaitable<Status> Repack(std::filesystem::path path);

  const boost::asio::any_io_executor strand_;
  storage::Store& store_;
  repositories::Repositories& repositories_;
  git_http::RepositoryQueue& queue_;
  const HousekeeperParts parts_;
  boost::asio::steady_timer timer_;
  bool stopped_ = false;
  gateway::OneShot<bool> over_;
  // Packing, while it does.
  git_http::GitProcess* git_ = nullptr;
};

}  // namespace assay::maintenance

#endif  // ASSAY_SERVICES_MAINTENANCE_HOUSEKEEPER_H_
