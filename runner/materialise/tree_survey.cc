#include "runner/materialise/tree_survey.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "runner/materialise/entry_name.h"
#include "sandbox/cell/tree_archive.h"

namespace assay::materialise {
namespace {

// Each part counts with one separator, of which the last is not there.
constexpr std::int64_t kMaxPathBytes = sandbox::kTreeArchiveMaxPath;

}  // namespace

TreeSurvey::TreeSurvey(git_repository* repository, const TreeLimits& limits)
    : repository_(repository), limits_(limits) {
  git_odb* odb = nullptr;
  if (git_repository_odb(&odb, repository_) == 0) odb_.reset(odb);
}

Status TreeSurvey::Check(const git_oid& tree) {
  if (odb_ == nullptr) return GitError(Code::kInternal, "git_repository_odb");
  ASSAY_ASSIGN_OR_RETURN(const Totals totals, Measure(tree, "", 1));
  return CheckTotals(totals);
}

Status TreeSurvey::CheckTotals(const Totals& totals) const {
  if (totals.entries > limits_.entries)
    return ResourceExhausted("the commit unpacks to more than ",
                             limits_.entries,
                             " files and directories, the limit");
  if (totals.bytes > limits_.total_bytes)
    return ResourceExhausted("the commit unpacks to more than ",
                             limits_.total_bytes, " bytes, the limit");
  if (totals.depth > limits_.depth)
    return ResourceExhausted("the commit's directories are nested more than ",
                             limits_.depth, " deep, the limit");
  if (totals.path_bytes > kMaxPathBytes)
    return ResourceExhausted("the commit has a path of more than ",
                             kMaxPathBytes, " bytes, the limit");
  return {};
}

Expected<TreeSurvey::Totals> TreeSurvey::Measure(const git_oid& oid,
                                                 const std::string& path,
                                                 std::int64_t depth) {
  if (const auto seen = trees_.find(oid); seen != trees_.end())
    return seen->second;
  // Before going down, so that a chain of trees cannot exhaust the stack.
  ASSAY_RETURN_IF_ERROR(CheckTotals(Totals{.depth = depth}));
  git_tree* raw = nullptr;
  if (const int code = git_tree_lookup(&raw, repository_, &oid); code != 0)
    return GitError(
        code == GIT_ENOTFOUND ? Code::kDataLoss : Code::kInvalidArgument,
        "tree " + OidText(oid) + " cannot be read");
  const GitTree tree(raw);

  Totals totals{.depth = 1};
  std::set<std::string_view> names;
  const std::size_t count = git_tree_entrycount(tree.get());
  for (std::size_t i = 0; i < count; ++i) {
    const git_tree_entry* entry = git_tree_entry_byindex(tree.get(), i);
    const std::string_view name = git_tree_entry_name(entry);
    ASSAY_RETURN_IF_ERROR(CheckEntryName(name, path));
    if (!names.insert(name).second)
      return InvalidArgument("the commit names \"", Printable(name),
                             "\" twice in one directory; write it again with "
                             "git and push");
    ASSAY_ASSIGN_OR_RETURN(const Totals part, MeasureEntry(entry, path, depth));
    totals.entries += part.entries + 1;
    totals.bytes += part.bytes;
    totals.depth = std::max(totals.depth, part.depth + 1);
    totals.path_bytes =
        std::max(totals.path_bytes,
                 static_cast<std::int64_t>(name.size()) + 1 + part.path_bytes);
    // Each sum is of at most `count` numbers that passed this check, so none
    // overflows.
    ASSAY_RETURN_IF_ERROR(CheckTotals(totals));
  }
  trees_.emplace(oid, totals);
  return totals;
}

Expected<TreeSurvey::Totals> TreeSurvey::MeasureEntry(
    const git_tree_entry* entry, const std::string& directory,
    std::int64_t depth) {
  const std::string path = JoinPath(directory, git_tree_entry_name(entry));
  const git_oid oid = *git_tree_entry_id(entry);
  switch (git_tree_entry_filemode(entry)) {
    case GIT_FILEMODE_TREE:
      return Measure(oid, path, depth + 1);
    case GIT_FILEMODE_COMMIT:
      return InvalidArgument(
          "the commit has a submodule at ", Printable(path),
          ", which is not fetched; commit its files instead");
    case GIT_FILEMODE_LINK: {
      ASSAY_ASSIGN_OR_RETURN(const std::int64_t size, BlobSize(oid, path));
      if (size < 1 || size > 4095)
        return InvalidArgument("the symbolic link ", Printable(path), " has a ",
                               "target of ", size,
                               " bytes, expected 1 to 4095");
      return Totals{.bytes = size};
    }
    case GIT_FILEMODE_BLOB:
    case GIT_FILEMODE_BLOB_EXECUTABLE: {
      ASSAY_ASSIGN_OR_RETURN(const std::int64_t size, BlobSize(oid, path));
      return Totals{.bytes = size};
    }
    default:
      return InvalidArgument("the commit has an entry of mode ",
                             static_cast<int>(git_tree_entry_filemode(entry)),
                             " at ", Printable(path),
                             ", which git never writes");
  }
}

Expected<std::int64_t> TreeSurvey::BlobSize(const git_oid& blob,
                                            const std::string& path) {
  std::size_t size = 0;
  git_object_t type = GIT_OBJECT_INVALID;
  if (git_odb_read_header(&size, &type, odb_.get(), &blob) != 0)
    return GitError(Code::kDataLoss, "the content of " + Printable(path) +
                                         " (" + OidText(blob) +
                                         ") cannot be read");
  if (type != GIT_OBJECT_BLOB)
    return InvalidArgument("the commit names an object that is no file as the ",
                           "content of ", Printable(path));
  if (size > static_cast<std::size_t>(limits_.file_bytes))
    return ResourceExhausted("the commit's file ", Printable(path), " has ",
                             size, " bytes, the limit is ", limits_.file_bytes);
  return static_cast<std::int64_t>(size);
}

}  // namespace assay::materialise
