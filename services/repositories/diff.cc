#include "services/repositories/diff.h"

#include <string_view>
#include <utility>

#include "services/repositories/handles.h"

namespace assay::repositories {
namespace {

Expected<TreeHandle> TreeOf(git_repository* repository,
                            const std::string& commit) {
  if (commit.empty()) return TreeHandle();
  ASSAY_ASSIGN_OR_RETURN(const CommitHandle handle,
                         LookupCommit(repository, commit));
  git_tree* tree = nullptr;
  if (int r = git_commit_tree(&tree, handle.get()); r < 0)
    return GitError("read the tree of " + commit, r);
  return TreeHandle(tree);
}

FileDelta::Change ChangeOf(git_delta_t status) {
  switch (status) {
    case GIT_DELTA_ADDED:
      return FileDelta::Change::kAdded;
    case GIT_DELTA_DELETED:
      return FileDelta::Change::kDeleted;
    case GIT_DELTA_RENAMED:
      return FileDelta::Change::kRenamed;
    default:
      return FileDelta::Change::kModified;
  }
}

// Cuts at the last line end within `limit`.
void KeepPatch(std::string_view text, std::size_t limit, FileDelta& file) {
  // The lines before the first hunk repeat the names and modes.
  const std::size_t hunks = text.find("@@ ");
  text.remove_prefix(hunks == std::string_view::npos ? text.size() : hunks);
  if (text.size() > limit) {
    file.truncated = true;
    text = text.substr(0, text.rfind('\n', limit) + 1);
  }
  file.patch = std::string(text);
}

Expected<FileDelta> ReadFile(git_diff* diff, std::size_t index,
                             std::size_t limit) {
  const git_diff_delta* delta = git_diff_get_delta(diff, index);
  FileDelta file;
  file.change = ChangeOf(delta->status);
  if (file.change != FileDelta::Change::kAdded)
    file.old_path = delta->old_file.path;
  if (file.change != FileDelta::Change::kDeleted)
    file.new_path = delta->new_file.path;
  file.old_mode = delta->old_file.mode;
  file.new_mode = delta->new_file.mode;
  git_patch* raw = nullptr;
  if (int r = git_patch_from_diff(&raw, diff, index); r < 0)
    return GitError("diff " + file.new_path, r);
  const PatchHandle patch(raw);
  file.binary = (git_patch_get_delta(raw)->flags & GIT_DIFF_FLAG_BINARY) != 0;
  std::size_t added = 0, removed = 0;
  git_patch_line_stats(nullptr, &added, &removed, raw);
  file.added_lines = static_cast<int>(added);
  file.removed_lines = static_cast<int>(removed);
  if (file.binary) return file;
  git_buf text = {};
  if (int r = git_patch_to_buf(&text, raw); r < 0)
    return GitError("print the diff of " + file.new_path, r);
  KeepPatch({text.ptr, text.size}, limit, file);
  git_buf_dispose(&text);
  return file;
}

}  // namespace

Expected<Diff> ReadDiff(git_repository* repository,
                        const std::string& old_commit,
                        const std::string& new_commit,
                        const DiffLimits& limits) {
  ASSAY_ASSIGN_OR_RETURN(const TreeHandle before,
                         TreeOf(repository, old_commit));
  ASSAY_ASSIGN_OR_RETURN(const TreeHandle after,
                         TreeOf(repository, new_commit));
  git_diff_options options = GIT_DIFF_OPTIONS_INIT;
  options.max_size = limits.max_blob_bytes;
  git_diff* raw = nullptr;
  if (int r = git_diff_tree_to_tree(&raw, repository, before.get(), after.get(),
                                    &options);
      r < 0)
    return GitError("compare trees", r);
  const DiffHandle diff(raw);
  git_diff_find_options find = GIT_DIFF_FIND_OPTIONS_INIT;
  find.flags = GIT_DIFF_FIND_RENAMES;
  if (int r = git_diff_find_similar(raw, &find); r < 0)
    return GitError("find renames", r);
  Diff result;
  std::size_t left = limits.max_total_bytes;
  for (std::size_t i = 0; i < git_diff_num_deltas(raw); ++i) {
    if (result.files.size() == limits.max_files) {
      result.truncated = true;
      break;
    }
    ASSAY_ASSIGN_OR_RETURN(
        FileDelta file,
        ReadFile(raw, i, std::min(left, limits.max_patch_bytes)));
    left -= std::min(left, file.patch.size());
    result.added_lines += file.added_lines;
    result.removed_lines += file.removed_lines;
    result.files.push_back(std::move(file));
  }
  return result;
}

}  // namespace assay::repositories
