#include "services/git_http/reconciler.h"

#include <spdlog/spdlog.h>

#include <string>
#include <utility>

#include "proto/base/fault_point.h"

namespace assay::git_http {
namespace {

namespace asio = boost::asio;
using repositories::RefTip;
using storage::PushRecord;
using storage::RepositoryRecord;
using storage::Transaction;

constexpr std::string_view kBranches = "refs/heads/";

// What a push says whose repository moved on after it was listed.
bool IsElsewhere(const Error& error) {
  return error.code == Code::kAborted ||
         error.code == Code::kFailedPrecondition;
}

}  // namespace

Reconciler::Reconciler(attempts::PushRecorder& recorder,
                       repositories::Repositories& repositories,
                       storage::Store& store, const Clock& clock)
    : recorder_(recorder),
      repositories_(repositories),
      store_(store),
      clock_(clock) {}

asio::awaitable<Expected<Reconciler::Settled>> Reconciler::SettleIntents(
    RepositoryId only) {
  Settled settled;
  const auto intents = co_await recorder_.ListOpenIntents();
  if (!intents) co_return std::unexpected(intents.error());
  for (const PushRecord& intent : *intents) {
    if (!only.empty() && intent.repository != only) continue;
    ASSAY_CO_RETURN_IF_ERROR(co_await SettleOne(intent, settled));
  }
  co_return settled;
}

asio::awaitable<Status> Reconciler::SettleOne(PushRecord intent,
                                              Settled& settled) {
  // The git of this push died with us, wherever it was.
  const Status tidied =
      co_await repositories_.RemoveLeftovers(intent.repository);
  if (!tidied) spdlog::warn("settling a push: {}", tidied.error().message);
  ReachFaultPoint("settle.tidied");
  const auto moved = co_await HasMoved(intent);
  if (!moved) co_return std::unexpected(moved.error());
  if (!*moved) {
    const Status refused = co_await recorder_.RefusePush(
        intent.id, "the server stopped before it had taken the push");
    if (!refused && !IsElsewhere(refused.error())) co_return refused;
    settled.refused += refused ? 1 : 0;
    co_return Status();
  }
  const auto confirmed = co_await recorder_.ConfirmPush(intent.id);
  if (!confirmed && !IsElsewhere(confirmed.error()))
    co_return std::unexpected(confirmed.error());
  ReachFaultPoint("settle.confirmed");
  settled.confirmed += confirmed ? 1 : 0;
  co_return Status();
}

// The ref is where the intent wanted it, or a later push has moved it on.
asio::awaitable<Expected<bool>> Reconciler::HasMoved(const PushRecord& intent) {
  // A later push that found the ref at this one's commit proves that it was
  // there, also where it was rewritten since.
  const auto followed = co_await store_.Read(
      [intent](Transaction& tx) { return tx.pushes.HasSuccessor(intent); });
  if (!followed || *followed) co_return followed;
  const auto refs = co_await repositories_.ReadRefs(intent.repository);
  if (!refs && refs.error().code == Code::kNotFound) co_return false;
  if (!refs) co_return std::unexpected(refs.error());
  for (const RefTip& tip : *refs) {
    if (tip.name != intent.ref) continue;
    if (tip.commit == intent.new_commit) co_return true;
    const auto behind = co_await repositories_.IsAncestor(
        intent.repository, intent.new_commit, tip.commit);
    // Objects of a push that did not finish are not in the repository.
    if (!behind && behind.error().code == Code::kNotFound) co_return false;
    co_return behind;
  }
  co_return false;
}

asio::awaitable<Expected<Reconciler::Settled>> Reconciler::ScanRepositories() {
  Settled settled;
  storage::Page page{.size = storage::Page::kMaxSize};
  do {
    auto batch = co_await store_.Read(
        [page](Transaction& tx) { return tx.repositories.List(page); });
    if (!batch) co_return std::unexpected(batch.error());
    for (RepositoryRecord& repository : batch->items) {
      if (stopped_) co_return settled;
      if (repository.home != recorder_.node()) continue;
      const auto found = co_await ScanOne(std::move(repository));
      if (!found) co_return std::unexpected(found.error());
      settled.found += *found;
    }
    page.token = batch->next_token;
  } while (!page.token.empty());
  co_return settled;
}

// A push explains a tip whenever it came: receive times order pushes only as
// well as the clock does.
asio::awaitable<Expected<bool>> Reconciler::IsExplained(
    RepositoryRecord repository, std::string commit) {
  if (commit == repository.template_commit) co_return true;
  const auto offers =
      co_await store_.Read([attempt = repository.attempt](Transaction& tx) {
        return tx.template_offers.List(attempt);
      });
  if (!offers) co_return std::unexpected(offers.error());
  for (const storage::TemplateOfferRecord& offer : *offers)
    if (offer.commit == commit) co_return true;
  const auto push = co_await store_.Read(
      [attempt = repository.attempt, commit](Transaction& tx) {
        return tx.pushes.FindByCommit(attempt, commit);
      });
  if (!push) co_return std::unexpected(push.error());
  co_return push->has_value();
}

asio::awaitable<Expected<int>> Reconciler::ScanOne(
    RepositoryRecord repository) {
  const auto refs = co_await repositories_.ReadRefs(repository.id);
  if (!refs && refs.error().code == Code::kNotFound) {
    spdlog::error("repository {} is missing on the disk", repository.id.str());
    co_return 0;
  }
  if (!refs) co_return std::unexpected(refs.error());
  int found = 0;
  for (const RefTip& ref : *refs) {
    if (!ref.name.starts_with(kBranches)) continue;
    // A push that is under way moves its ref before it is confirmed. Looked
    // at before the store is: what has left by then is there.
    const bool busy = recorder_.HasArrivals(repository.id, clock_.Now());
    const auto explained = co_await IsExplained(repository, ref.commit);
    if (!explained) co_return std::unexpected(explained.error());
    if (busy || *explained) continue;
    spdlog::warn("{} of {} is at {} without a push: recording one", ref.name,
                 repository.id.str(), ref.commit);
    const auto recorded = co_await recorder_.RecordFoundTip(
        repository.id, ref.name, ref.commit, clock_.Now());
    if (!recorded) co_return std::unexpected(recorded.error());
    ++found;
  }
  co_return found;
}

}  // namespace assay::git_http
