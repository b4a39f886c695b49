#include "services/nodes/homes.h"

#include <spdlog/spdlog.h>

#include <filesystem>
#include <optional>
#include <utility>

#include "proto/base/digest.h"
#include "services/nodes/bundle_seal.h"
#include "services/storage/blobs/blob_store.h"

namespace assay::nodes {
namespace {

using storage::PushRecord;
using storage::RepositoryRecord;
using storage::Transaction;

constexpr std::int32_t kAtOnce = 100;
// Of a lost node's repositories, in one sweep.
constexpr std::int32_t kTakenAtOnce = 8;
constexpr int kTries = 3;

// "digest:key", which is what a row says of a bundle.
struct BundleName {
  std::string digest;
  std::string key;
};

BundleName ParseBundleName(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return {};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

std::string TipsOf(const std::vector<repositories::RefTip>& refs) {
  std::string all;
  for (const repositories::RefTip& ref : refs)
    if (!ref.name.starts_with("refs/submissions/"))
      all += ref.name + " " + ref.commit + "\n";
  return Sha256Hex(all);
}

std::string WordsFor(const std::vector<PushRecord>& missing) {
  std::string words = std::to_string(missing.size()) +
                      " accepted pushes are not in its last bundle:";
  for (const PushRecord& push : missing)
    words += " " + push.ref + " at " + push.new_commit;
  return words;
}

}  // namespace

Homes::Homes(storage::Store& store, storage::BlobStore& blobs,
             repositories::Repositories& repositories,
             git_http::RepositoryQueue& queue, const Membership& membership,
             const Clock& clock, HomeParts parts)
    : store_(store),
      blobs_(blobs),
      repositories_(repositories),
      queue_(queue),
      membership_(membership),
      clock_(clock),
      parts_(std::move(parts)) {}

rpc::Async<bool> Homes::IsHere(RepositoryId repository) {
  if (store_.bulletin() == nullptr) co_return true;
  const auto record = co_await store_.Read([repository](Transaction& tx) {
    return tx.repositories.Get(repository);
  });
  if (!record && record.error().code != Code::kNotFound)
    co_return std::unexpected(record.error());
  co_return !record || record->home == membership_.name();
}

rpc::Async<void> Homes::Prepare(RepositoryId repository, std::string commit) {
  if (membership_.alone()) {
    // A node that has just joined may have taken a push before it is seen.
    const bool here =
        commit.empty() || co_await repositories_.ReadCommit(repository, commit);
    if (here) co_return Status();
  }
  auto record = co_await store_.Read([repository](Transaction& tx) {
    return tx.repositories.Get(repository);
  });
  if (!record) {
    if (record.error().code == Code::kNotFound) co_return Status();
    co_return std::unexpected(record.error());
  }
  if (record->home == membership_.name()) co_return Status();
  const auto copy = copies_.find(repository);
  if (copy == copies_.end() || copy->second != record->bundle) {
    const auto place = co_await queue_.Enter(repository);
    ASSAY_CO_RETURN_IF_ERROR(co_await Fetch(*record));
  }
  if (commit.empty()) co_return Status();
  const auto found = co_await repositories_.ReadCommit(repository, commit);
  if (found || found.error().code != Code::kNotFound) co_return Status();
  co_return Unavailable("commit ", commit, " is at node ", record->home,
                        ", which has not brought it yet");
}

rpc::Async<void> Homes::Fetch(Record record) {
  // Without a bundle the row says nothing that could be put in the place of
  // what is on this disk.
  const auto path = repositories_.Path(record.id);
  if (record.bundle.empty() && path &&
      std::filesystem::exists(*path / "HEAD")) {
    copies_[record.id] = record.bundle;
    co_return Status();
  }
  ASSAY_CO_RETURN_IF_ERROR(co_await PrepareTemplate(record.template_commit));
  std::string bundle;
  if (const BundleName name = ParseBundleName(record.bundle);
      !name.digest.empty()) {
    ASSAY_CO_ASSIGN_OR_RETURN(const std::string sealed,
                              co_await blobs_.Get(name.digest));
    ASSAY_CO_ASSIGN_OR_RETURN(bundle, OpenBundle(sealed, name.key));
  }
  ASSAY_CO_RETURN_IF_ERROR(co_await repositories_.ApplyBundle(
      record.id, record.template_commit, std::move(bundle)));
  copies_[record.id] = record.bundle;
  co_return Status();
}

rpc::Async<void> Homes::Claim(RepositoryId repository) {
  for (int i = 1;; ++i) {
    Status claimed = co_await ClaimOnce(repository);
    if (claimed || claimed.error().code != Code::kAborted || i == kTries)
      co_return claimed;
  }
}

rpc::Async<void> Homes::ClaimOnce(RepositoryId repository) {
  // With SQLite nobody else can have it.
  if (store_.bulletin() == nullptr) co_return Status();
  const auto look = [repository](Transaction& tx) {
    return tx.repositories.Get(repository);
  };
  auto record = co_await store_.Read(look);
  if (!record && record.error().code == Code::kNotFound) co_return Status();
  if (!record) co_return std::unexpected(record.error());
  if (record->home == membership_.name()) co_return Status();
  const auto place = co_await queue_.Enter(repository);
  record = co_await store_.Read(look);
  if (!record) co_return std::unexpected(record.error());
  if (record->home == membership_.name()) co_return Status();
  ASSAY_CO_RETURN_IF_ERROR(co_await Fetch(*record));
  ASSAY_CO_ASSIGN_OR_RETURN(const std::vector<PushRecord> missing,
                            co_await FindMissing(*record));
  const auto standing = membership_.StandingOf(record->home);
  if (!missing.empty() && standing != Membership::Standing::kLost)
    co_return Unavailable("repository ", repository, " is at node ",
                          record->home, ", which has not brought ",
                          missing.size(), " of its pushes yet; try again");
  ASSAY_CO_RETURN_IF_ERROR(
      co_await store_.Write([record = *record, missing, to = membership_.name(),
                             now = clock_.Now()](Transaction& tx) -> Status {
        ASSAY_RETURN_IF_ERROR(tx.repositories.Move(record, to));
        if (missing.empty()) return {};
        return tx.audit.Append(
            {.time = now,
             .actor = "system",
             .action = "repository.restored",
             .subject = "attempts/" + record.attempt.str(),
             .detail = "from node " + record.home + ": " + WordsFor(missing)});
      }));
  copies_.erase(repository);
  if (missing.empty())
    spdlog::info("repository {} moved here from node {}", repository.str(),
                 record->home);
  else
    spdlog::error("repository {} was lost with node {}: {}", repository.str(),
                  record->home, WordsFor(missing));
  co_return co_await parts_.settle(repository);
}

rpc::Async<std::vector<PushRecord>> Homes::ListAccepted(AttemptId attempt) {
  using Pushes = std::vector<PushRecord>;
  co_return co_await store_.Read(
      [attempt](Transaction& tx) -> Expected<Pushes> {
        Pushes found;
        storage::Page page{storage::Page::kMaxSize, ""};
        do {
          ASSAY_ASSIGN_OR_RETURN(auto some, tx.pushes.List(attempt, page));
          for (PushRecord& push : some.items)
            if (push.state == v1::Push::STATE_ACCEPTED)
              found.push_back(std::move(push));
          page.token = some.next_token;
        } while (!page.token.empty());
        return found;
      });
}

rpc::Async<std::vector<PushRecord>> Homes::FindMissing(Record record) {
  ASSAY_CO_ASSIGN_OR_RETURN(const std::vector<PushRecord> accepted,
                            co_await ListAccepted(record.attempt));
  std::vector<PushRecord> missing;
  for (const PushRecord& push : accepted) {
    const auto commit =
        co_await repositories_.ReadCommit(record.id, push.new_commit);
    if (!commit && commit.error().code == Code::kNotFound)
      missing.push_back(push);
    else if (!commit)
      co_return std::unexpected(commit.error());
  }
  co_return missing;
}

rpc::Async<void> Homes::Keep(RepositoryId repository) {
  if (membership_.alone()) co_return Status();
  auto record = co_await store_.Read([repository](Transaction& tx) {
    return tx.repositories.Get(repository);
  });
  if (!record && record.error().code == Code::kNotFound) co_return Status();
  if (!record) co_return std::unexpected(record.error());
  if (record->home != membership_.name())
    co_return Aborted("repository ", repository, " moved to node ",
                      record->home);
  behind_.insert(repository);
  ASSAY_CO_ASSIGN_OR_RETURN(const auto refs,
                            co_await repositories_.ReadRefs(repository));
  record->bundle_tips = TipsOf(refs);
  // Also what was rewritten since: it may be handed in, or looked at.
  ASSAY_CO_ASSIGN_OR_RETURN(const std::vector<PushRecord> accepted,
                            co_await ListAccepted(record->attempt));
  std::vector<std::string> commits;
  for (const PushRecord& push : accepted) commits.push_back(push.new_commit);
  ASSAY_CO_ASSIGN_OR_RETURN(
      std::string bundle,
      co_await repositories_.WriteBundle(repository, record->template_commit,
                                         std::move(commits)));
  record->bundle.clear();
  if (!bundle.empty()) {
    const std::string key = MakeBundleKey();
    ASSAY_CO_ASSIGN_OR_RETURN(const std::string digest,
                              co_await blobs_.Put(SealBundle(bundle, key)));
    record->bundle = digest + ":" + key;
  }
  ASSAY_CO_RETURN_IF_ERROR(
      co_await store_.Write([record = *record](Transaction& tx) {
        return tx.repositories.SetBundle(record);
      }));
  behind_.erase(repository);
  co_return Status();
}

rpc::Async<std::string> Homes::CreateTemplate(v1::FileTree files) {
  // Sorted maps do not occur in it: equal trees give equal bytes here.
  std::string bytes = files.SerializeAsString();
  ASSAY_CO_ASSIGN_OR_RETURN(
      const std::string commit,
      co_await repositories_.CreateTemplate(std::move(files)));
  if (store_.bulletin() == nullptr) co_return commit;
  ASSAY_CO_ASSIGN_OR_RETURN(const std::string digest,
                            co_await blobs_.Put(std::move(bytes)));
  ASSAY_CO_RETURN_IF_ERROR(
      co_await store_.Write([commit, digest](Transaction& tx) {
        return tx.repositories.SetTemplateFiles(commit, digest);
      }));
  co_return commit;
}

rpc::Async<void> Homes::PrepareTemplate(std::string commit) {
  if (repositories_.HasTemplate(commit)) co_return Status();
  ASSAY_CO_ASSIGN_OR_RETURN(const std::string digest,
                            co_await store_.Read([commit](Transaction& tx) {
                              return tx.repositories.TemplateFiles(commit);
                            }));
  if (digest.empty())
    co_return Unavailable("template ", commit,
                          " is at another node, which has not brought it yet");
  ASSAY_CO_ASSIGN_OR_RETURN(const std::string bytes,
                            co_await blobs_.Get(digest));
  v1::FileTree files;
  if (!files.ParseFromString(bytes))
    co_return DataLoss("the files of template ", commit, " cannot be parsed");
  ASSAY_CO_ASSIGN_OR_RETURN(
      const std::string made,
      co_await repositories_.CreateTemplate(std::move(files)));
  if (made != commit)
    co_return DataLoss("the files of template ", commit, " make ", made);
  co_return Status();
}

boost::asio::awaitable<void> Homes::Sweep() {
  const bool alone = membership_.alone();
  if (alone) kept_all_ = false;
  // Whoever was the last to be forgotten may have left something behind.
  if (!alone) may_be_elsewhere_ = true;
  if (sweeping_ || stopped_ || !may_be_elsewhere_) co_return;
  sweeping_ = true;
  if (!kept_all_ && !alone) co_await KeepAll();
  for (const RepositoryId& repository : std::set(behind_)) {
    if (stopped_) break;
    const auto place = co_await queue_.Enter(repository);
    const Status kept = co_await Keep(repository);
    if (kept || kept.error().code == Code::kAborted) behind_.erase(repository);
  }
  if (!stopped_) co_await TakeOverOpen();
  if (!stopped_ && co_await TakeOverLost() && alone) may_be_elsewhere_ = false;
  sweeping_ = false;
}

// What was pushed before there was another node.
boost::asio::awaitable<void> Homes::KeepAll() {
  const Status templates = co_await KeepTemplates();
  if (!templates)
    spdlog::warn("keeping templates for other nodes: {}",
                 templates.error().message);
  RepositoryId after;
  for (;;) {
    const auto some = co_await store_.Read(
        [after, node = membership_.name()](Transaction& tx) {
          return tx.repositories.ListAt(node, after, kAtOnce);
        });
    if (!some || stopped_) co_return;
    for (const Record& record : *some) {
      const auto refs = co_await repositories_.ReadRefs(record.id);
      if (refs && TipsOf(*refs) != record.bundle_tips)
        behind_.insert(record.id);
      after = record.id;
    }
    if (some->size() < kAtOnce) break;
  }
  kept_all_ = templates.has_value();
}

rpc::Async<void> Homes::KeepTemplates() {
  std::set<std::string> commits;
  storage::Page page{storage::Page::kMaxSize, ""};
  do {
    ASSAY_CO_ASSIGN_OR_RETURN(const auto some,
                              co_await store_.Read([page](Transaction& tx) {
                                return tx.repositories.List(page);
                              }));
    for (const Record& record : some.items)
      commits.insert(record.template_commit);
    page.token = some.next_token;
  } while (!page.token.empty());
  page.token.clear();
  do {
    ASSAY_CO_ASSIGN_OR_RETURN(const auto some,
                              co_await store_.Read([page](Transaction& tx) {
                                return tx.assignments.List(page);
                              }));
    for (const auto& assignment : some.items)
      commits.insert(assignment.template_commit);
    page.token = some.next_token;
  } while (!page.token.empty());
  for (const std::string& commit : commits) {
    if (stopped_ || !repositories_.HasTemplate(commit)) continue;
    ASSAY_CO_ASSIGN_OR_RETURN(const std::string digest,
                              co_await store_.Read([commit](Transaction& tx) {
                                return tx.repositories.TemplateFiles(commit);
                              }));
    if (!digest.empty()) continue;
    ASSAY_CO_ASSIGN_OR_RETURN(v1::FileTree files,
                              co_await repositories_.ReadTemplate(commit));
    ASSAY_CO_RETURN_IF_ERROR(co_await CreateTemplate(std::move(files)));
  }
  co_return Status();
}

// A push that its node did not end holds up a deadline.
boost::asio::awaitable<void> Homes::TakeOverOpen() {
  const auto open = co_await store_.Read(
      [](Transaction& tx) -> Expected<std::map<RepositoryId, std::string>> {
        std::map<RepositoryId, std::string> homes;
        ASSAY_ASSIGN_OR_RETURN(const auto pushes, tx.pushes.ListOpen());
        for (const PushRecord& push : pushes)
          if (const auto record = tx.repositories.Get(push.repository))
            homes[push.repository] = record->home;
        return homes;
      });
  if (!open) co_return;
  for (const auto& [repository, home] : *open) {
    if (stopped_ || membership_.StandingOf(home) == Membership::Standing::kLive)
      continue;
    const Status claimed = co_await Claim(repository);
    if (!claimed)
      spdlog::warn("taking over {}: {}", repository.str(),
                   claimed.error().message);
  }
}

boost::asio::awaitable<bool> Homes::TakeOverLost() {
  const auto counts = co_await store_.Read(
      [](Transaction& tx) { return tx.repositories.CountByHome(); });
  if (!counts) co_return false;
  bool none = true;
  for (const auto& [home, count] : *counts) {
    if (membership_.StandingOf(home) != Membership::Standing::kLost) continue;
    none = false;
    const auto some = co_await store_.Read([home](Transaction& tx) {
      return tx.repositories.ListAt(home, RepositoryId(), kTakenAtOnce);
    });
    if (!some) co_return false;
    for (const Record& record : *some) {
      if (stopped_) co_return false;
      const Status claimed = co_await Claim(record.id);
      if (!claimed)
        spdlog::warn("taking over {}: {}", record.id.str(),
                     claimed.error().message);
    }
  }
  co_return none;
}

}  // namespace assay::nodes
