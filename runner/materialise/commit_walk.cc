#include "runner/materialise/commit_walk.h"

#include <string_view>

#include "runner/materialise/entry_name.h"
#include "runner/materialise/tree_survey.h"

namespace assay::materialise {
namespace {

class Walk {
 public:
  Walk(git_repository* repository, git_odb* odb,
       sandbox::TreeArchiveWriter& archive)
      : repository_(repository), odb_(odb), archive_(archive) {}

  // Depth is bounded by the survey.
  Status Tree(const git_oid& oid, const std::string& directory) {
    git_tree* raw = nullptr;
    if (git_tree_lookup(&raw, repository_, &oid) != 0)
      return GitError(Code::kDataLoss, "tree " + OidText(oid));
    const GitTree tree(raw);
    const std::size_t count = git_tree_entrycount(tree.get());
    for (std::size_t i = 0; i < count; ++i) {
      const git_tree_entry* entry = git_tree_entry_byindex(tree.get(), i);
      const std::string path = JoinPath(directory, git_tree_entry_name(entry));
      ASSAY_RETURN_IF_ERROR(Entry(entry, path));
    }
    return {};
  }

 private:
  Status Entry(const git_tree_entry* entry, const std::string& path) {
    const git_oid oid = *git_tree_entry_id(entry);
    const git_filemode_t mode = git_tree_entry_filemode(entry);
    if (mode == GIT_FILEMODE_TREE) {
      ASSAY_RETURN_IF_ERROR(archive_.AddDirectory(path));
      return Tree(oid, path);
    }
    git_odb_object* raw = nullptr;
    if (git_odb_read(&raw, odb_, &oid) != 0)
      return GitError(Code::kDataLoss, "the content of " + Printable(path));
    const GitOdbObject blob(raw);
    const std::string_view content(
        static_cast<const char*>(git_odb_object_data(blob.get())),
        git_odb_object_size(blob.get()));
    if (mode != GIT_FILEMODE_LINK)
      return archive_.AddFile(path, content,
                              mode == GIT_FILEMODE_BLOB_EXECUTABLE);
    if (content.find('\0') != std::string_view::npos)
      return InvalidArgument("the symbolic link ", Printable(path),
                             " has a NUL in its target");
    return archive_.AddSymlink(path, content);
  }

  git_repository* repository_;
  git_odb* odb_;
  sandbox::TreeArchiveWriter& archive_;
};

}  // namespace

Status WalkCommit(git_repository* repository, const std::string& commit,
                  const TreeLimits& limits,
                  sandbox::TreeArchiveWriter& archive) {
  git_oid oid;
  if (commit.size() != GIT_OID_HEXSZ ||
      git_oid_fromstr(&oid, commit.c_str()) != 0)
    return InvalidArgument("\"", Printable(commit),
                           "\" is no commit: ", "expected 40 hex digits");
  git_commit* raw_commit = nullptr;
  if (git_commit_lookup(&raw_commit, repository, &oid) != 0)
    return GitError(Code::kDataLoss, "the pack does not hold commit " + commit);
  const GitCommit found(raw_commit);
  const git_oid tree = *git_commit_tree_id(found.get());
  ASSAY_RETURN_IF_ERROR(TreeSurvey(repository, limits).Check(tree));

  git_odb* raw_odb = nullptr;
  if (git_repository_odb(&raw_odb, repository) != 0)
    return GitError(Code::kInternal, "git_repository_odb");
  const GitOdb odb(raw_odb);
  return Walk(repository, odb.get(), archive).Tree(tree, "");
}

}  // namespace assay::materialise
