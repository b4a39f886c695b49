#ifndef ASSAY_SERVICES_REPOSITORIES_INCOMING_H_
#define ASSAY_SERVICES_REPOSITORIES_INCOMING_H_

#include <chrono>
#include <filesystem>
#include <string>

#include "proto/base/error.h"
#include "services/repositories/records.h"
#include "services/repositories/tree_meter.h"

namespace assay::repositories {

// What a push may bring.
struct IncomingRules {
  TreeLimits tree;
  int max_commits = 20'000;
  CommitRules commits;
  // The tip may be a tag, which names a commit.
  bool tag = false;
  std::int64_t max_commit_bytes = std::int64_t{1} << 20;
  // Objects can be stored so that each takes as long as all before it.
  std::chrono::milliseconds max_time{20'000};
};

// Judges what git has received but not taken in yet: `quarantine` holds the
// new objects, and no ref moves before this has answered. Where the new commit
// does not follow from the old one, `refs/pushes/{old_commit}` keeps the old
// one reachable, durably.
//
// Cost: each new object is looked at once.
// Errors: kResourceExhausted for what is over a limit, kInvalidArgument for a
// tip that is no commit and for a commit against the rules; the message is for
// the candidate.
Status CheckIncoming(const std::filesystem::path& repository,
                     const std::filesystem::path& quarantine,
                     const std::string& old_commit,
                     const std::string& new_commit,
                     const IncomingRules& rules = {});

}  // namespace assay::repositories

#endif  // ASSAY_SERVICES_REPOSITORIES_INCOMING_H_
