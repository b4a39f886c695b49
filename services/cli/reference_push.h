#ifndef ASSAY_SERVICES_CLI_REFERENCE_PUSH_H_
#define ASSAY_SERVICES_CLI_REFERENCE_PUSH_H_

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>

#include "proto/base/error.h"
#include "services/cli/git_clone.h"
#include "services/cli/temporary_directory.h"

namespace assay::cli {

// A folder on its way to a repository: a commit whose tree is the folder's, on
// top of what the repository has. The push goes on beside the caller, as the
// server holds it until the run has ended.
//
// Threads: one. Errors: git's own words.
class ReferencePush {
 public:
  ReferencePush() = default;
  ~ReferencePush();
  ReferencePush(const ReferencePush&) = delete;
  ReferencePush& operator=(const ReferencePush&) = delete;

  // Makes the commit of what stands in `folder`, but for `.git` and what its
  // `.gitignore` names, and starts to push it. Answers with the commit.
  Expected<std::string> Begin(const GitAccess& access,
                              const std::filesystem::path& folder);
  // Whether the push has ended. Errors: it was refused, or git failed.
  Expected<bool> Ended();

 private:
  std::filesystem::path log() const { return scratch_.path() / "push.log"; }

  TemporaryDirectory scratch_;
  pid_t child_ = -1;
};

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_REFERENCE_PUSH_H_
