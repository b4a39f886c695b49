#ifndef ASSAY_TESTS_RUNNER_MATERIALISE_GIT_PACK_H_
#define ASSAY_TESTS_RUNNER_MATERIALISE_GIT_PACK_H_

#include <git2.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/cell/unique_fd.h"

namespace assay::materialise {

// Writes git objects as a hostile candidate could: trees are bytes of the
// test's own, and every object that was written ends up in the pack.
class GitPack {
 public:
  struct Entry {
    std::string mode;  // "100644", "40000", "120000", "160000"
    std::string name;
    git_oid oid;
  };

  explicit GitPack(const std::filesystem::path& directory);
  ~GitPack();

  git_oid Blob(std::string_view content);
  git_oid Tree(const std::vector<Entry>& entries);
  // 40 hex digits.
  std::string Commit(const git_oid& tree);
  git_oid Write(git_object_t type, std::string_view bytes);
  void Delete(const git_oid& oid);

  // A pack with all of it, to be read from its start.
  sandbox::UniqueFd Finish();

 private:
  std::filesystem::path directory_;
  git_repository* repository_ = nullptr;
  git_odb* odb_ = nullptr;
  std::vector<git_oid> written_;
};

}  // namespace assay::materialise

#endif  // ASSAY_TESTS_RUNNER_MATERIALISE_GIT_PACK_H_
