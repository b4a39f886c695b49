#include "services/maintenance/housekeeper.h"

#include <spdlog/spdlog.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>
#include <vector>

#include "services/gateway/spawn.h"
#include "services/maintenance/backup.h"

namespace assay::maintenance {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using storage::RepositoryRecord;
using storage::Transaction;

int CountPacks(const fs::path& repository) {
  int packs = 0;
  std::error_code error;
  for (const auto& entry :
       fs::directory_iterator(repository / "objects/pack", error))
    if (entry.path().extension() == ".pack") ++packs;
  return packs;
}

}  // namespace

Housekeeper::Housekeeper(asio::any_io_executor strand, storage::Store& store,
                         repositories::Repositories& repositories,
                         git_http::RepositoryQueue& queue,
                         HousekeeperParts parts)
    : strand_(std::move(strand)),
      store_(store),
      repositories_(repositories),
      queue_(queue),
      parts_(std::move(parts)),
      timer_(strand_) {}

void Housekeeper::Start() { gateway::Spawn(strand_, "housekeeping", Loop()); }

asio::awaitable<void> Housekeeper::Stop() {
  stopped_ = true;
  timer_.cancel();
  if (git_ != nullptr) git_->Kill();
  co_await over_.Take();
}

asio::awaitable<void> Housekeeper::Loop() {
  while (!stopped_) {
    timer_.expires_after(parts_.interval);
    boost::system::error_code ignored;
    co_await timer_.async_wait(
        asio::redirect_error(asio::use_awaitable, ignored));
    if (!stopped_) co_await Round();
  }
  over_.Set(true);
}

asio::awaitable<void> Housekeeper::Round() {
  const auto erased = co_await parts_.erase_expired();
  if (!erased) spdlog::warn("retention: {}", erased.error().message);
  if (stopped_) co_return;
  const auto repaired = co_await parts_.repair_refs();
  if (!repaired) spdlog::error("submission refs: {}", repaired.error().message);
  if (const int tidied = co_await TidyAll(); tidied > 0)
    spdlog::info("packed {} repositories anew", tidied);
}

// Puts small packs together until each is twice as large as the next. What is
// borrowed from the template stays there.
asio::awaitable<Status> Housekeeper::Repack(fs::path path) {
  auto git = git_http::GitProcess::Start(
      strand_, {.arguments = {"repack", "--geometric=2", "-d", "-l", "-q",
                              "--no-write-bitmap-index"},
                .repository = std::move(path),
                .in_repository = true,
                .max_cpu_seconds = 600,
                .time_limit = std::chrono::seconds(900)});
  if (!git) co_return std::unexpected(git.error());
  git_ = git->get();
  std::vector<char> buffer(4 << 10);
  for (;;) {
    const auto count = co_await git_->ReadSome(buffer);
    if (!count || *count == 0) break;
  }
  const Status ended = co_await git_->Wait();
  git_ = nullptr;
  co_return ended;
}

asio::awaitable<int> Housekeeper::TidyAll() {
  int tidied = 0;
  storage::Page page{.size = storage::Page::kMaxSize};
  do {
    auto batch = co_await store_.Read(
        [page](Transaction& tx) { return tx.repositories.List(page); });
    if (!batch) co_return tidied;
    for (const RepositoryRecord& repository : batch->items) {
      if (stopped_) co_return tidied;
      if (repository.home != parts_.node) continue;
      const auto done = co_await Tidy(repository.id);
      if (!done)
        spdlog::warn("packing {}: {}", repository.id.str(),
                     done.error().message);
      else if (*done)
        ++tidied;
    }
    page.token = batch->next_token;
  } while (!page.token.empty());
  co_return tidied;
}

asio::awaitable<Expected<bool>> Housekeeper::Tidy(RepositoryId repository) {
  const auto path = repositories_.Path(repository);
  if (!path) co_return std::unexpected(path.error());
  if (CountPacks(*path) <= parts_.max_packs) co_return false;
  const auto place = co_await queue_.Enter(repository);
  const auto lock =
      MaintenanceLock::Take(parts_.data_dir, MaintenanceLock::Kind::kRemoval);
  if (!lock) co_return std::unexpected(lock.error());
  const Status packed = co_await Repack(*path);
  if (!packed) co_return std::unexpected(packed.error());
  co_return true;
}

}  // namespace assay::maintenance
