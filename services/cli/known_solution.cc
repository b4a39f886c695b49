#include "services/cli/known_solution.h"

#include "services/cli/child.h"
#include "services/cli/file_tree.h"
#include "services/cli/suite_source.h"

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

Expected<KnownSolutions> LoadKnownSolutions(const std::string& dir) {
  KnownSolutions known{.base = dir, .plan = {}, .verification = {}};
  const fs::path file = known.base / suite::kVerificationFile;
  if (!fs::exists(file)) {
    return InvalidArgument(
        "there is no ", file.lexically_normal().string(),
        "; expected an assignment's folder with a verify.yaml that names the "
        "reference and its broken variants (see `assay suite schema verify`)");
  }
  const auto fail = [&](suite::Diagnostics& found) {
    for (auto& diagnostic : found) {
      diagnostic.file = file.lexically_normal().string();
    }
    std::string text = suite::ToText(found);
    while (text.ends_with('\n')) text.pop_back();
    return InvalidArgument(text);
  };
  ASSAY_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(file.string()));
  auto folder = suite::SuiteFolderOf(text);
  if (!folder) return fail(folder.error());
  ASSAY_ASSIGN_OR_RETURN(known.plan, LoadPlan((known.base / *folder).string()));
  ASSAY_ASSIGN_OR_RETURN(const v1::FileTree tree, ReadTree(dir));
  suite::Files names;
  for (const auto& one : tree.files()) names[one.path()];
  auto verification = suite::ParseVerification(text, names, known.plan);
  if (!verification) return fail(verification.error());
  known.verification = *std::move(verification);
  return known;
}

Status LayOut(const suite::KnownSolution& solution, const fs::path& base,
              const fs::path& to) {
  ASSAY_RETURN_IF_ERROR(Copy(base / solution.folder, to));
  if (!solution.overlay.empty()) return Copy(base / solution.overlay, to);
  if (!solution.patch.empty()) return Apply(base / solution.patch, to);
  return {};
}

}  // namespace assay::cli
