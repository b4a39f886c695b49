#ifndef ASSAY_RUNNER_MATERIALISE_GIT_HANDLES_H_
#define ASSAY_RUNNER_MATERIALISE_GIT_HANDLES_H_

#include <git2.h>

#include <memory>
#include <string>

#include "proto/base/error.h"

namespace assay::materialise {

// libgit2's objects with their owners' destructors.
template <class T, void (*Free)(T*)>
struct GitFree {
  void operator()(T* object) const { Free(object); }
};
template <class T, void (*Free)(T*)>
using GitPointer = std::unique_ptr<T, GitFree<T, Free>>;

using GitIndexer = GitPointer<git_indexer, git_indexer_free>;
using GitOdb = GitPointer<git_odb, git_odb_free>;
using GitRepository = GitPointer<git_repository, git_repository_free>;
using GitCommit = GitPointer<git_commit, git_commit_free>;
using GitTree = GitPointer<git_tree, git_tree_free>;
using GitOdbObject = GitPointer<git_odb_object, git_odb_object_free>;

// "what: libgit2's last message" with `code`; kResourceExhausted where memory
// was refused, whatever it was for.
inline std::unexpected<Error> GitError(Code code, const std::string& what) {
  const git_error* last = git_error_last();
  if (last != nullptr && last->klass == GIT_ERROR_NOMEMORY)
    return ResourceExhausted(what, ": it needs more memory than is allowed");
  return Fail(code, what, ": ",
              last != nullptr && last->message != nullptr ? last->message
                                                          : "unknown error");
}

inline std::string OidText(const git_oid& oid) {
  char text[GIT_OID_HEXSZ + 1];
  return git_oid_tostr(text, sizeof text, &oid);
}

struct OidLess {
  bool operator()(const git_oid& a, const git_oid& b) const {
    return git_oid_cmp(&a, &b) < 0;
  }
};

}  // namespace assay::materialise

#endif  // ASSAY_RUNNER_MATERIALISE_GIT_HANDLES_H_
