#ifndef ASSAY_SERVICES_GIT_HTTP_RECONCILER_H_
#define ASSAY_SERVICES_GIT_HTTP_RECONCILER_H_

#include <boost/asio/awaitable.hpp>

#include "proto/base/clock.h"
#include "services/attempts/push_recorder.h"
#include "services/repositories/repositories.h"
#include "services/storage/store.h"

namespace assay::git_http {

// Makes the store agree with the repositories after a crash. What is in a
// repository was durable before it was acknowledged, so the repository wins.
//
// Ownership: borrows all that it is made of.
// Threads: confined to the coordinator's strand. Idempotent.
class Reconciler {
 public:
  Reconciler(attempts::PushRecorder& recorder,
             repositories::Repositories& repositories, storage::Store& store,
             const Clock& clock);

  struct Settled {
    int confirmed = 0;
    int refused = 0;
    int found = 0;
  };
  // Ends every open intent: before serving, while no push is under way.
  // Of one repository, or of all of this node. Only while no push to them is
  // under way here.
  boost::asio::awaitable<Expected<Settled>> SettleIntents(
      RepositoryId only = RepositoryId());
  // Ends one that was open when it was listed, and counts it. Another node that
  // has its repository by now settles it, or has: then nothing happens.
  boost::asio::awaitable<Status> SettleOne(storage::PushRecord intent,
                                           Settled& settled);
  // Compares every repository's refs with its accepted pushes: behind serving.
  boost::asio::awaitable<Expected<Settled>> ScanRepositories();
  // Lets ScanRepositories end early.
  void Stop() { stopped_ = true; }

 private:
  boost::asio::awaitable<Expected<bool>> HasMoved(
      const storage::PushRecord& intent);
  boost::asio::awaitable<Expected<bool>> IsExplained(
      storage::RepositoryRecord repository, std::string commit);
  boost::asio::awaitable<Expected<int>> ScanOne(
      storage::RepositoryRecord repository);

  attempts::PushRecorder& recorder_;
  repositories::Repositories& repositories_;
  storage::Store& store_;
  const Clock& clock_;
  bool stopped_ = false;
};

}  // namespace assay::git_http

#endif  // ASSAY_SERVICES_GIT_HTTP_RECONCILER_H_
