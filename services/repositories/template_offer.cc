#include "services/repositories/template_offer.h"

#include "services/repositories/durable_files.h"
#include "services/repositories/handles.h"

namespace assay::repositories {
namespace {

Expected<git_oid> TreeOf(git_repository* repository, const std::string& hex) {
  ASSAY_ASSIGN_OR_RETURN(const git_oid oid, ParseOid(hex));
  git_commit* raw = nullptr;
  if (int r = git_commit_lookup(&raw, repository, &oid); r < 0)
    return GitError("read template " + hex, r);
  const CommitHandle commit(raw);
  return *git_commit_tree_id(raw);
}

// Copies a tree with all that it holds, as one pack.
Status CopyTree(git_repository* repository, const git_oid& tree) {
  git_packbuilder* raw = nullptr;
  if (int r = git_packbuilder_new(&raw, repository); r < 0)
    return GitError("build the pack", r);
  const PackBuilderHandle pack(raw);
  if (int r = git_packbuilder_insert_tree(raw, &tree); r < 0)
    return GitError("fill the pack", r);
  const std::filesystem::path directory =
      std::filesystem::path(git_repository_path(repository)) / "objects" /
      "pack";
  if (int r =
          git_packbuilder_write(raw, directory.c_str(), 0400, nullptr, nullptr);
      r < 0)
    return GitError("write the pack", r);
  return SyncDirectory(directory);
}

}  // namespace

Expected<std::string> WriteOfferCommit(
    git_repository* repository, const std::filesystem::path& template_store,
    const std::string& base_commit, const std::string& template_commit) {
  git_odb* raw = nullptr;
  if (int r = git_repository_odb(&raw, repository); r < 0)
    return GitError("open objects", r);
  const OdbHandle odb(raw);
  // For this handle only; the repository's alternates stay as they are.
  const std::filesystem::path objects = template_store / "objects";
  if (int r = git_odb_add_disk_alternate(raw, objects.c_str()); r < 0)
    return GitError("open the template", r);
  ASSAY_ASSIGN_OR_RETURN(const git_oid tree,
                         TreeOf(repository, template_commit));
  ASSAY_RETURN_IF_ERROR(ParseOid(base_commit));
  ASSAY_RETURN_IF_ERROR(CopyTree(repository, tree));
  // A second after the template, so that equal offers are equal commits.
  const std::string text =
      "tree " + OidHex(tree) + "\nparent " + base_commit +
      "\nauthor Assay <assay@localhost> 946684801 +0000"
      "\ncommitter Assay <assay@localhost> 946684801 +0000"
      "\n\nFix the template\n\nMerge this branch if you want it.\n";
  git_oid commit;
  if (int r = git_odb_write(&commit, raw, text.data(), text.size(),
                            GIT_OBJECT_COMMIT);
      r < 0)
    return GitError("write the commit", r);
  return OidHex(commit);
}

Status WriteBranch(git_repository* repository, const std::string& branch,
                   const std::string& commit) {
  ASSAY_ASSIGN_OR_RETURN(const git_oid oid, ParseOid(commit));
  const std::string name = "refs/heads/" + branch;
  git_reference* raw = nullptr;
  const int result =
      git_reference_create(&raw, repository, name.c_str(), &oid, 0, nullptr);
  const ReferenceHandle ref(raw);
  if (result == 0) return {};
  if (result != GIT_EEXISTS) return GitError("write " + name, result);
  git_oid present;
  if (git_reference_name_to_id(&present, repository, name.c_str()) == 0 &&
      git_oid_equal(&present, &oid) == 1)
    return {};
  return AlreadyExists(name, " points at another commit");
}

}  // namespace assay::repositories
