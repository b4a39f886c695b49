#include "services/git_http/push_policy.h"

#include <fmt/format.h>

#include "proto/base/utf8.h"
#include "services/attempts/push_recorder.h"

namespace assay::git_http {
namespace {

using storage::Transaction;

// Everything that was ever pushed is kept, so that a repository holds many
// times what one push may bring; nobody gets there by working.
constexpr std::int64_t kPushesOfFullSize = 8;

}  // namespace

boost::asio::awaitable<Expected<PushPolicy>> ReadPushPolicy(
    storage::Store& store, RepositoryId repository) {
  co_return co_await store.Read(
      [repository](Transaction& tx) -> Expected<PushPolicy> {
        ASSAY_ASSIGN_OR_RETURN(const auto attempt,
                               tx.attempts.GetByRepository(repository));
        ASSAY_ASSIGN_OR_RETURN(
            const auto assignment,
            tx.assignments.Get(attempt.assignment, attempt.assignment_version));
        PushPolicy policy{.allow_force = assignment.spec.allow_force_push()};
        if (assignment.spec.max_push_bytes() > 0)
          policy.max_bytes = assignment.spec.max_push_bytes();
        policy.max_repository_bytes = kPushesOfFullSize * policy.max_bytes;
        return policy;
      });
}

std::string RefusedByShape(const PushRequest& request) {
  for (const RefUpdate& update : request.updates) {
    if (update.ref.starts_with("refs/tags/"))
      return fmt::format(
          "tags are not taken here\n"
          "You pushed {}. Push your work to main: git push origin HEAD:main",
          PresentableLine(update.ref, 100));
    if (update.ref != attempts::kGradedRef)
      return fmt::format(
          "only the branch main is taken here\n"
          "You pushed {}. Push your work to main: git push origin HEAD:main",
          PresentableLine(update.ref, 100));
    if (update.new_commit == kNoCommit)
      return "main cannot be deleted\nWhat was pushed is kept.";
  }
  // The same ref twice.
  if (request.updates.size() > 1) return "main can move once in a push";
  return "";
}

std::string RefusedBySize(std::int64_t limit) {
  return fmt::format(
      "the push is larger than {:.1f} MiB\n"
      "That is this assignment's limit. Leave build products and data out, "
      "also of\nearlier commits that are not pushed yet, and push again.",
      static_cast<double>(limit) / (1 << 20));
}

std::string RefusedByQuota(std::int64_t limit) {
  return fmt::format(
      "this repository has grown beyond {} MiB\n"
      "All that was ever pushed is kept, so that nothing more fits. Ask those "
      "who\ninvited you.",
      limit >> 20);
}

}  // namespace assay::git_http
