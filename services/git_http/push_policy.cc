#include "services/git_http/push_policy.h"

#include <fmt/format.h>

#include "proto/base/utf8.h"
#include "services/attempts/push_recorder.h"
#include "services/attempts/push_rules.h"
#include "services/attempts/push_run.h"

namespace assay::git_http {
namespace {

using storage::Transaction;

// Everything that was ever pushed is kept, so that a repository holds many
// times what one push may bring; nobody gets there by working.
constexpr std::int64_t kPushesOfFullSize = 8;

// What is tagged stays tagged: a reviewer relies on what it names.
std::string RefusedTag(const RefUpdate& update, const PushPolicy& policy) {
  const std::string ref = PresentableLine(update.ref, 100);
  if (!policy.allow_tags)
    return fmt::format(
        "tags are not taken here\n"
        "You pushed {}. Push your work to main: git push origin HEAD:main",
        ref);
  if (update.new_commit == kNoCommit)
    return fmt::format("tags cannot be deleted\n{} is kept as it was pushed.",
                       ref);
  if (update.old_commit != kNoCommit)
    return fmt::format(
        "tags cannot be moved\n"
        "{} is there already; push another one under a name of its own.",
        ref);
  return "";
}

}  // namespace

boost::asio::awaitable<Expected<PushPolicy>> ReadPushPolicy(
    storage::Store& store, RepositoryId repository) {
  co_return co_await store.Read(
      [repository](Transaction& tx) -> Expected<PushPolicy> {
        ASSAY_ASSIGN_OR_RETURN(const auto attempt,
                               tx.attempts.GetByRepository(repository));
        ASSAY_ASSIGN_OR_RETURN(const auto assignment,
                               attempts::AssignmentOf(tx, attempt));
        PushPolicy policy{
            .allow_force = attempts::MayRewrite(attempt, assignment.spec),
            .allow_tags = assignment.spec.allow_tags(),
            .commits = {.subject = assignment.spec.commit_subject(),
                        .linear = assignment.spec.linear_history()}};
        // How candidates are to work is nothing that a solution is held to.
        if (attempt.reference) policy.commits = {};
        if (assignment.spec.max_push_bytes() > 0)
          policy.max_bytes = assignment.spec.max_push_bytes();
        policy.max_repository_bytes = kPushesOfFullSize * policy.max_bytes;
        return policy;
      });
}

std::string RefusedByShape(const PushRequest& request,
                           const PushPolicy& policy) {
  for (const RefUpdate& update : request.updates) {
    if (IsTag(update.ref)) {
      std::string refusal = RefusedTag(update, policy);
      if (!refusal.empty()) return refusal;
      continue;
    }
    if (update.ref != attempts::kGradedRef)
      return fmt::format(
          "only the branch main is taken here\n"
          "You pushed {}. Push your work to main: git push origin HEAD:main",
          PresentableLine(update.ref, 100));
    if (update.new_commit == kNoCommit)
      return "main cannot be deleted\nWhat was pushed is kept.";
  }
  if (request.updates.size() <= 1) return "";
  if (policy.allow_tags)
    return "a push may change one branch or tag\n"
           "Push main first, then each tag: git push origin HEAD:main, then\n"
           "git push origin TAG.";
  // The same ref twice.
  return "main can move once in a push";
}

bool IsTag(std::string_view ref) { return ref.starts_with("refs/tags/"); }

std::string RefusedBySize(std::int64_t limit) {
  return fmt::format(
      "the push is larger than {:.1f} MiB\n"
      "That is this assignment's limit. Leave build products and data out, "
      "also of\nearlier commits that are not pushed yet, and push again.",
      static_cast<double>(limit) / (1 << 20));
}

std::string RefusedByTags() {
  return fmt::format(
      "this repository has {} tags already\n"
      "That is as many as fit. Push your work to main: git push origin "
      "HEAD:main",
      kMaxTags);
}

std::string RefusedByQuota(std::int64_t limit) {
  return fmt::format(
      "this repository has grown beyond {} MiB\n"
      "All that was ever pushed is kept, so that nothing more fits. Ask those "
      "who\ninvited you.",
      limit >> 20);
}

}  // namespace assay::git_http
