#include "services/cli/reference_push.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "services/cli/child.h"
#include "services/cli/file_tree.h"
#include "services/cli/suite_source.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

// Whoever has hooks, signatures or ignored names set up for all of their work
// did not mean this commit.
const Environment kPlain = {{"GIT_CONFIG_GLOBAL", "/dev/null"},
                            {"GIT_CONFIG_NOSYSTEM", "1"},
                            {"GIT_AUTHOR_NAME", "Reference"},
                            {"GIT_AUTHOR_EMAIL", "reference@localhost"},
                            {"GIT_COMMITTER_NAME", "Reference"},
                            {"GIT_COMMITTER_EMAIL", "reference@localhost"}};

Expected<std::string> Git(const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {"git"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  ASSAY_ASSIGN_OR_RETURN(const Captured done, Capture(command, kPlain));
  if (done.exit_code == 0) return done.output;
  return Internal("git ", arguments.back(), " failed: ", done.output);
}

}  // namespace

ReferencePush::~ReferencePush() {
  if (child_ < 0) return;
  kill(child_, SIGTERM);
  Wait(child_);
}

Expected<std::string> ReferencePush::Begin(const GitAccess& access,
                                           const fs::path& folder) {
  if (scratch_.path().empty()) return SystemError("make a directory", errno);
  ASSAY_ASSIGN_OR_RETURN(const v1::FileTree tree, ReadTree(folder));
  if (tree.files().empty())
    return InvalidArgument(folder.string(),
                           " is empty; expected the folder of a solution");
  const fs::path clone = scratch_.path() / "clone";
  const fs::path work = scratch_.path() / "work";
  ASSAY_ASSIGN_OR_RETURN(
      const int exit_code,
      CloneRepository(access, clone, Quietness::kSayNothing));
  if (exit_code != 0)
    return Internal("git could not clone ", access.url, "; see above");
  ASSAY_RETURN_IF_ERROR(WriteTree(tree, work));
  const std::string git_dir = "--git-dir=" + (clone / ".git").string();
  const std::string work_tree = "--work-tree=" + work.string();
  ASSAY_RETURN_IF_ERROR(Git({git_dir, work_tree, "add", "--all"}));
  ASSAY_RETURN_IF_ERROR(Git({git_dir, work_tree, "commit", "--quiet",
                             "--allow-empty", "--message=Reference solution"}));
  ASSAY_ASSIGN_OR_RETURN(std::string commit,
                         Git({git_dir, "rev-parse", "HEAD"}));
  const int output =
      open(log().c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
  if (output < 0) return SystemError("write " + log().string(), errno);
  const auto started = Start({.command = {"git", git_dir, "push", "--quiet",
                                          "origin", "HEAD:refs/heads/main"},
                              .environment = {{"GIT_TERMINAL_PROMPT", "0"}},
                              .output = output,
                              .error = output});
  close(output);
  if (!started) return std::unexpected(started.error());
  child_ = *started;
  return commit;
}

Expected<bool> ReferencePush::Ended() {
  if (child_ < 0) return true;
  int status = 0;
  if (waitpid(child_, &status, WNOHANG) == 0) return false;
  child_ = -1;
  if (ExitCodeFromStatus(status) == 0) return true;
  ASSAY_ASSIGN_OR_RETURN(const std::string said, ReadWholeFile(log().string()));
  return FailedPrecondition("the push was refused; git says: ", said);
}

}  // namespace assay::cli
