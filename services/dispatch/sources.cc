#include "services/dispatch/sources.h"

#include <map>
#include <utility>

#include "services/repositories/repositories.h"
#include "services/storage/blobs/blob_store.h"
#include "services/storage/store.h"

namespace assay::dispatch {
namespace {

using repositories::Pack;
using storage::Transaction;

// The pack files that leases need. Those of one commit share one.
//
// Threads: confined to the coordinator's strand.
class PackShelf : public std::enable_shared_from_this<PackShelf> {
 public:
  PackShelf(storage::Store& store, repositories::Repositories& repositories,
            ReadyWithCommit ready)
      : store_(store), repositories_(repositories), ready_(std::move(ready)) {}

  static rpc::Async<SharedContent> Get(std::shared_ptr<PackShelf> self,
                                       AttemptId attempt, std::string commit) {
    const Key key(attempt, commit);
    if (SharedContent content = self->Find(key)) co_return content;
    const auto record = co_await self->store_.Read(
        [attempt](Transaction& tx) { return tx.attempts.Get(attempt); });
    if (!record) co_return std::unexpected(record.error());
    if (self->ready_)
      ASSAY_CO_RETURN_IF_ERROR(
          co_await self->ready_(record->repository, commit));
    const auto pack =
        co_await self->repositories_.WritePack(record->repository, commit);
    if (!pack) co_return std::unexpected(pack.error());
    co_return self->Share(key, *pack);
  }

 private:
  using Key = std::pair<AttemptId, std::string>;

  SharedContent Find(const Key& key) const {
    const auto found = live_.find(key);
    return found == live_.end() ? nullptr : found->second.lock();
  }

  SharedContent Share(const Key& key, const Pack& pack) {
    // Another lease of this commit was prepared beside this one.
    if (SharedContent content = Find(key)) {
      repositories_.ForgetPack(pack);
      return content;
    }
    SharedContent content(
        new Content{.digest = pack.digest,
                    .size = pack.bytes,
                    .bytes = {},
                    .file = pack.path},
        [weak = weak_from_this(), key, pack](const Content* dead) {
          delete dead;
          if (const auto shelf = weak.lock()) shelf->Drop(key, pack);
        });
    live_[key] = content;
    return content;
  }

  void Drop(const Key& key, const Pack& pack) {
    live_.erase(key);
    repositories_.ForgetPack(pack);
  }

  storage::Store& store_;
  repositories::Repositories& repositories_;
  const ReadyWithCommit ready_;
  std::map<Key, std::weak_ptr<const Content>> live_;
};

// Plans that leases need: most runs at one time are of few assignments.
//
// Threads: confined to the coordinator's strand.
class PlanShelf {
 public:
  explicit PlanShelf(storage::BlobStore& blobs) : blobs_(blobs) {}

  static rpc::Async<SharedContent> Get(std::shared_ptr<PlanShelf> self,
                                       std::string digest) {
    if (const auto found = self->live_.find(digest);
        found != self->live_.end()) {
      if (SharedContent content = found->second.lock()) co_return content;
    }
    auto bytes = co_await self->blobs_.Get(digest);
    if (!bytes) co_return std::unexpected(bytes.error());
    const auto size = static_cast<std::int64_t>(bytes->size());
    auto content =
        std::make_shared<const Content>(Content{.digest = digest,
                                                .size = size,
                                                .bytes = *std::move(bytes),
                                                .file = {}});
    std::erase_if(self->live_,
                  [](const auto& entry) { return entry.second.expired(); });
    self->live_[digest] = content;
    co_return content;
  }

 private:
  storage::BlobStore& blobs_;
  std::map<std::string, std::weak_ptr<const Content>> live_;
};

}  // namespace

ContentSources MakeContentSources(storage::Store& store,
                                  storage::BlobStore& blobs,
                                  repositories::Repositories& repositories,
                                  ReadyWithCommit ready) {
  auto packs =
      std::make_shared<PackShelf>(store, repositories, std::move(ready));
  auto plans = std::make_shared<PlanShelf>(blobs);
  return ContentSources{.pack =
                            [packs](AttemptId attempt, std::string commit) {
                              return PackShelf::Get(packs, std::move(attempt),
                                                    std::move(commit));
                            },
                        .plan =
                            [plans](std::string digest) {
                              return PlanShelf::Get(plans, std::move(digest));
                            }};
}

}  // namespace assay::dispatch
