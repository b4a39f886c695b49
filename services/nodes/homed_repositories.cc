#include "services/nodes/homed_repositories.h"

#include <spdlog/spdlog.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>

#include "services/maintenance/backup.h"

namespace assay::nodes {

namespace asio = boost::asio;

HomedRepositories::HomedRepositories(
    asio::any_io_executor strand, storage::Store& store, Homes& homes,
    repositories::Repositories& repositories, git_http::RepositoryQueue& queue,
    git_http::Reconciler& reconciler, submissions::SubmissionRefs& refs,
    NoteExchange& exchange, HomedOptions options)
    : strand_(std::move(strand)),
      store_(store),
      homes_(homes),
      repositories_(repositories),
      queue_(queue),
      reconciler_(reconciler),
      refs_(refs),
      exchange_(exchange),
      options_(std::move(options)) {}

// Not while a backup is made, nor under a push. Small backups are waited for,
// though not for longer than a stop waits for requests.
rpc::Async<void> HomedRepositories::Remove(RepositoryId repository) {
  using Lock = maintenance::MaintenanceLock;
  constexpr std::chrono::milliseconds kPause{50};
  std::chrono::milliseconds left = options_.removal_patience;
  std::optional<Expected<Lock>> lock;
  for (;;) {
    lock.emplace(Lock::Take(options_.data_dir, Lock::Kind::kRemoval));
    if (*lock || lock->error().code != Code::kUnavailable || left < kPause)
      break;
    asio::steady_timer timer(strand_, kPause);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    left -= kPause;
  }
  if (!*lock) co_return std::unexpected(lock->error());
  if (options_.shared)
    ASSAY_CO_RETURN_IF_ERROR(co_await homes_.Claim(repository));
  const auto place = co_await queue_.Enter(repository);
  exchange_.TellErased(repository);
  co_return co_await repositories_.Remove(std::move(repository));
}

rpc::Async<void> HomedRepositories::Settle(RepositoryId repository) {
  const auto settled = co_await reconciler_.SettleIntents(repository);
  if (!settled) co_return std::unexpected(settled.error());
  co_await RepairRefs(std::move(repository));
  co_return Status();
}

// A run may be queued a moment before its commit can be had from its home.
rpc::Async<void> HomedRepositories::AwaitCommit(RepositoryId repository,
                                                std::string commit) {
  constexpr int kTries = 50;
  constexpr std::chrono::milliseconds kPause{100};
  for (int i = 1;; ++i) {
    Status ready = co_await homes_.Prepare(repository, commit);
    if (ready || ready.error().code != Code::kUnavailable || i == kTries)
      co_return ready;
    asio::steady_timer timer(strand_, kPause);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

rpc::Async<void> HomedRepositories::Create(RepositoryId repository,
                                           std::string template_commit) {
  ASSAY_CO_RETURN_IF_ERROR(co_await homes_.PrepareTemplate(template_commit));
  co_return co_await repositories_.CreateRepository(std::move(repository),
                                                    std::move(template_commit));
}

rpc::Async<void> HomedRepositories::WriteSubmissionRef(RepositoryId repository,
                                                       int number,
                                                       std::string commit) {
  ASSAY_CO_ASSIGN_OR_RETURN(const bool here,
                            co_await homes_.IsHere(repository));
  if (here)
    co_return co_await repositories_.WriteSubmissionRef(
        std::move(repository), number, std::move(commit));
  // The row is what counts; its home writes the ref of it.
  exchange_.TellSubmitted(repository);
  co_return Status();
}

asio::awaitable<void> HomedRepositories::RepairRefs(RepositoryId repository) {
  const auto here = co_await homes_.IsHere(repository);
  if (!here || !*here) co_return;
  using Submissions = std::vector<storage::SubmissionRecord>;
  const auto submissions = co_await store_.Read(
      [repository](storage::Transaction& tx) -> Expected<Submissions> {
        ASSAY_ASSIGN_OR_RETURN(const auto attempt,
                               tx.attempts.GetByRepository(repository));
        return tx.submissions.List(attempt.id);
      });
  if (!submissions) co_return;
  for (const storage::SubmissionRecord& submission : *submissions)
    static_cast<void>(co_await refs_.Write(submission));
}

asio::awaitable<void> HomedRepositories::RemoveCopy(RepositoryId repository) {
  const auto place = co_await queue_.Enter(repository);
  const auto home =
      co_await store_.Read([repository](storage::Transaction& tx) {
        return tx.repositories.Get(repository);
      });
  if (home && home->home == options_.node) co_return;
  const Status removed = co_await repositories_.Remove(std::move(repository));
  if (!removed) spdlog::error("erasing a copy: {}", removed.error().message);
}

rpc::Async<std::string> HomedRepositories::WriteOfferCommit(
    RepositoryId repository, std::string base, std::string offered) {
  ASSAY_CO_RETURN_IF_ERROR(co_await homes_.Claim(repository));
  ASSAY_CO_RETURN_IF_ERROR(co_await homes_.PrepareTemplate(offered));
  co_return co_await repositories_.WriteOfferCommit(
      std::move(repository), std::move(base), std::move(offered));
}

rpc::Async<void> HomedRepositories::WriteBranch(RepositoryId repository,
                                                std::string branch,
                                                std::string commit) {
  ASSAY_CO_RETURN_IF_ERROR(co_await homes_.Claim(repository));
  const auto place = co_await queue_.Enter(repository);
  ASSAY_CO_RETURN_IF_ERROR(co_await repositories_.WriteBranch(
      repository, std::move(branch), std::move(commit)));
  co_return co_await homes_.Keep(std::move(repository));
}

rpc::Async<repositories::Diff> HomedRepositories::ReadDiff(
    RepositoryId repository, std::string before, std::string after) {
  ASSAY_CO_RETURN_IF_ERROR(co_await homes_.Prepare(repository, after));
  co_return co_await repositories_.ReadDiff(
      std::move(repository), std::move(before), std::move(after));
}

rpc::Async<std::vector<repositories::CommitInfo>>
HomedRepositories::ReadHistory(RepositoryId repository, std::string commit,
                               int limit) {
  ASSAY_CO_RETURN_IF_ERROR(co_await homes_.Prepare(repository, commit));
  co_return co_await repositories_.ReadHistory(std::move(repository),
                                               std::move(commit), limit);
}

rpc::Async<std::vector<repositories::Note>> HomedRepositories::ReadNotes(
    RepositoryId repository, std::string before, std::string commit) {
  ASSAY_CO_RETURN_IF_ERROR(co_await homes_.Prepare(repository, commit));
  co_return co_await repositories_.ReadNotes(
      std::move(repository), std::move(before), std::move(commit));
}

}  // namespace assay::nodes
