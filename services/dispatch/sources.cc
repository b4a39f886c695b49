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

// The pack files that leases need, by digest.
//
// Threads: confined to the coordinator's strand.
class PackShelf : public std::enable_shared_from_this<PackShelf> {
 public:
  PackShelf(storage::Store& store, repositories::Repositories& repositories,
            ReadyWithCommit ready)
      : store_(store), repositories_(repositories), ready_(std::move(ready)) {}

  static rpc::Async<SharedContent> Get(std::shared_ptr<PackShelf> self,
                                       AttemptId attempt, std::string commit) {
    const auto record = co_await self->store_.Read(
        [attempt](Transaction& tx) { return tx.attempts.Get(attempt); });
    if (!record) co_return std::unexpected(record.error());
    if (self->ready_)
      ASSAY_CO_RETURN_IF_ERROR(
          co_await self->ready_(record->repository, commit));
    ++self->writing_;
    const auto pack =
        co_await self->repositories_.WritePack(record->repository, commit);
    --self->writing_;
    SharedContent content;
    if (pack) content = self->Share(*pack);
    self->Sweep();
    if (!pack) co_return std::unexpected(pack.error());
    co_return content;
  }

 private:
  SharedContent Share(const Pack& pack) {
    dropped_.erase(pack.digest);
    std::weak_ptr<const Content>& shelved = shared_[pack.digest];
    if (SharedContent content = shelved.lock()) return content;
    SharedContent content(new Content{.digest = pack.digest,
                                      .size = pack.bytes,
                                      .bytes = {},
                                      .file = pack.path},
                          [weak = weak_from_this(), pack](const Content* dead) {
                            delete dead;
                            if (const auto shelf = weak.lock())
                              shelf->Drop(pack);
                          });
    shelved = content;
    return content;
  }

  void Drop(const Pack& pack) {
    shared_.erase(pack.digest);
    dropped_.emplace(pack.digest, pack);
    Sweep();
  }

  // A pack that is being written may be one that was just dropped: files go
  // only while nothing is written.
  void Sweep() {
    if (writing_ > 0) return;
    for (const auto& [digest, pack] : std::exchange(dropped_, {}))
      repositories_.ForgetPack(pack);
  }

  storage::Store& store_;
  repositories::Repositories& repositories_;
  const ReadyWithCommit ready_;
  int writing_ = 0;
  std::map<std::string, std::weak_ptr<const Content>> shared_;
  std::map<std::string, Pack> dropped_;
};

rpc::Async<SharedContent> GetPlan(storage::BlobStore* blobs,
                                  std::string digest) {
  auto bytes = co_await blobs->Get(digest);
  if (!bytes) co_return std::unexpected(bytes.error());
  const auto size = static_cast<std::int64_t>(bytes->size());
  co_return std::make_shared<const Content>(Content{
      .digest = digest, .size = size, .bytes = *std::move(bytes), .file = {}});
}

}  // namespace

ContentSources MakeContentSources(storage::Store& store,
                                  storage::BlobStore& blobs,
                                  repositories::Repositories& repositories,
                                  ReadyWithCommit ready) {
  auto shelf =
      std::make_shared<PackShelf>(store, repositories, std::move(ready));
  return ContentSources{.pack =
                            [shelf](AttemptId attempt, std::string commit) {
                              return PackShelf::Get(shelf, std::move(attempt),
                                                    std::move(commit));
                            },
                        .plan =
                            [blobs = &blobs](std::string digest) {
                              return GetPlan(blobs, std::move(digest));
                            }};
}

}  // namespace assay::dispatch
