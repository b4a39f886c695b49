#include "services/cli/known_solution.h"

#include "services/cli/child.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

Status Copy(const fs::path& from, const fs::path& to) {
  std::error_code failed;
  fs::copy(from, to,
           fs::copy_options::recursive | fs::copy_options::copy_symlinks |
               fs::copy_options::overwrite_existing,
           failed);
  if (!failed) return {};
  return InvalidArgument(from.string(),
                         " cannot be copied: ", failed.message());
}

Status Apply(const fs::path& patch, const fs::path& to) {
  // Whatever repository `to` lies in is none of git's business here.
  ASSAY_ASSIGN_OR_RETURN(
      const Captured git,
      Capture({"git", "-C", to.string(), "apply", "--whitespace=nowarn", "--",
               fs::absolute(patch).string()},
              {{"GIT_CEILING_DIRECTORIES", to.parent_path().string()},
               {"GIT_CONFIG_GLOBAL", "/dev/null"}}));
  if (git.exit_code == 0) return {};
  return InvalidArgument(
      patch.string(),
      " does not apply to the reference; git says: ", git.output);
}

}  // namespace

Status LayOut(const suite::KnownSolution& solution, const fs::path& base,
              const fs::path& to) {
  ASSAY_RETURN_IF_ERROR(Copy(base / solution.folder, to));
  if (!solution.overlay.empty()) return Copy(base / solution.overlay, to);
  if (!solution.patch.empty()) return Apply(base / solution.patch, to);
  return {};
}

}  // namespace assay::cli
