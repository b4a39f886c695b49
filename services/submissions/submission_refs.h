#ifndef ASSAY_SERVICES_SUBMISSIONS_SUBMISSION_REFS_H_
#define ASSAY_SERVICES_SUBMISSIONS_SUBMISSION_REFS_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/storage/store.h"

namespace assay::submissions {

// Keeps `refs/submissions/{n}` as the rows say. The row is the truth; the ref
// is derived from it, so that a crash between the two is repaired at a start.
//
// Ownership: borrows `store`. Threads: confined to the coordinator's strand.
class SubmissionRefs {
 public:
  template <class T>
  using Async = boost::asio::awaitable<Expected<T>>;
  // The repositories' WriteSubmissionRef: durable, may be repeated.
  using WriteRef = std::function<Async<void>(RepositoryId, std::int32_t number,
                                             std::string commit)>;

  // `node`: whose repositories RepairAll looks after.
  SubmissionRefs(storage::Store& store, WriteRef write, std::string node = {});

  // Writes the ref of a submission; nothing for an empty one.
  Async<void> Write(storage::SubmissionRecord submission);
  // Writes every ref of this node again. Goes on after a failure and answers
  // with the first one.
  Async<void> RepairAll();
  // Lets RepairAll end early.
  void Stop() { stopped_ = true; }

 private:
  Async<void> WriteIn(RepositoryId repository,
                      storage::SubmissionRecord submission);

  storage::Store& store_;
  const WriteRef write_;
  const std::string node_;
  bool stopped_ = false;
};

}  // namespace assay::submissions

#endif  // ASSAY_SERVICES_SUBMISSIONS_SUBMISSION_REFS_H_
