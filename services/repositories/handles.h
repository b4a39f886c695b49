#ifndef ASSAY_SERVICES_REPOSITORIES_HANDLES_H_
#define ASSAY_SERVICES_REPOSITORIES_HANDLES_H_

#include <git2.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "proto/base/error.h"

namespace assay::repositories {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

// Owners of libgit2's objects. A repository handle is used by one thread.
using RepositoryHandle =
    std::unique_ptr<git_repository, Freer<git_repository_free>>;
using OdbHandle = std::unique_ptr<git_odb, Freer<git_odb_free>>;
using ObjectHandle = std::unique_ptr<git_object, Freer<git_object_free>>;
using OdbObjectHandle =
    std::unique_ptr<git_odb_object, Freer<git_odb_object_free>>;
using CommitHandle = std::unique_ptr<git_commit, Freer<git_commit_free>>;
using TagHandle = std::unique_ptr<git_tag, Freer<git_tag_free>>;
using TreeHandle = std::unique_ptr<git_tree, Freer<git_tree_free>>;
using TreeBuilderHandle =
    std::unique_ptr<git_treebuilder, Freer<git_treebuilder_free>>;
using PackBuilderHandle =
    std::unique_ptr<git_packbuilder, Freer<git_packbuilder_free>>;
using RevwalkHandle = std::unique_ptr<git_revwalk, Freer<git_revwalk_free>>;
using DiffHandle = std::unique_ptr<git_diff, Freer<git_diff_free>>;
using PatchHandle = std::unique_ptr<git_patch, Freer<git_patch_free>>;
using ReferenceHandle =
    std::unique_ptr<git_reference, Freer<git_reference_free>>;
using ReferenceIteratorHandle =
    std::unique_ptr<git_reference_iterator, Freer<git_reference_iterator_free>>;

// The error of the libgit2 call that has just returned `result` on this
// thread, as "what: libgit2's words".
std::unexpected<Error> GitError(std::string_view what, int result);

// Opens a bare repository or a template's store; reads no configuration of
// the host.
Expected<RepositoryHandle> OpenBare(const std::filesystem::path& path);

// The commit of this name, or the one that a tag of this name names.
Expected<CommitHandle> LookupCommit(git_repository* repository,
                                    const std::string& hex);

// 40 lower-case hex digits, and nothing else.
Expected<git_oid> ParseOid(std::string_view hex);
std::string OidHex(const git_oid& oid);

// Starts libgit2 for this process: durable writes, no configuration from
// outside, a bounded cache. Idempotent.
void StartLibgit2();

}  // namespace assay::repositories

#endif  // ASSAY_SERVICES_REPOSITORIES_HANDLES_H_
