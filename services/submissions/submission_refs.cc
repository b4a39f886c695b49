#include "services/submissions/submission_refs.h"

#include <utility>
#include <vector>

namespace assay::submissions {
namespace {

using storage::SubmissionRecord;
using storage::Transaction;

// One page of repositories with what was handed in from them.
struct RepairPage {
  struct Item {
    RepositoryId repository;
    std::vector<SubmissionRecord> submissions;
  };
  std::vector<Item> items;
  std::string next_token;
};

Expected<RepairPage> ReadPage(Transaction& tx, const storage::Page& page,
                              const std::string& node) {
  ASSAY_ASSIGN_OR_RETURN(const auto repositories, tx.repositories.List(page));
  RepairPage result;
  result.next_token = repositories.next_token;
  for (const storage::RepositoryRecord& repository : repositories.items) {
    if (repository.home != node) continue;
    ASSAY_ASSIGN_OR_RETURN(auto submissions,
                           tx.submissions.List(repository.attempt));
    result.items.push_back({repository.id, std::move(submissions)});
  }
  return result;
}

}  // namespace

SubmissionRefs::SubmissionRefs(storage::Store& store, WriteRef write,
                               std::string node)
    : store_(store), write_(std::move(write)), node_(std::move(node)) {}

SubmissionRefs::Async<void> SubmissionRefs::Write(SubmissionRecord submission) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const storage::AttemptRecord attempt,
      co_await store_.Read([id = submission.attempt](Transaction& tx) {
        return tx.attempts.Get(id);
      }));
  co_return co_await WriteIn(attempt.repository, std::move(submission));
}

SubmissionRefs::Async<void> SubmissionRefs::WriteIn(
    RepositoryId repository, SubmissionRecord submission) {
  if (submission.commit.empty()) co_return Status();
  co_return co_await write_(std::move(repository), submission.number,
                            submission.commit);
}

SubmissionRefs::Async<void> SubmissionRefs::RepairAll() {
  storage::Page page{storage::Page::kMaxSize, ""};
  Status first;
  do {
    ASSAY_CO_ASSIGN_OR_RETURN(
        const RepairPage found,
        co_await store_.Read([page, node = node_](Transaction& tx) {
          return ReadPage(tx, page, node);
        }));
    for (const RepairPage::Item& item : found.items)
      for (const SubmissionRecord& submission : item.submissions) {
        if (stopped_) co_return first;
        Status written = co_await WriteIn(item.repository, submission);
        if (!written && first) first = std::move(written);
      }
    page.token = found.next_token;
  } while (!page.token.empty());
  co_return first;
}

}  // namespace assay::submissions
