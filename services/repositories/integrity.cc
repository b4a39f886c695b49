#include "services/repositories/integrity.h"

#include <unordered_set>
#include <utility>

#include "services/repositories/handles.h"
#include "services/repositories/history.h"

namespace assay::repositories {
namespace {

constexpr std::size_t kMaxProblems = 100;

// Walks objects with a list of what is to be read, not by recursion: a
// hostile tree may be nested as deep as it likes.
class Walk {
 public:
  Walk(git_repository* repository, git_odb* odb)
      : repository_(repository), odb_(odb) {}

  void Add(const git_oid& oid, const std::string& needed_by) {
    const std::string key = OidHex(oid);
    if (seen_.insert(key).second) todo_.emplace_back(key, needed_by);
  }

  std::vector<std::string> Run() {
    while (!todo_.empty() && problems_.size() < kMaxProblems) {
      auto [key, needed_by] = std::move(todo_.back());
      todo_.pop_back();
      Visit(key, needed_by);
    }
    return std::move(problems_);
  }

 private:
  void Visit(const std::string& key, const std::string& needed_by) {
    const git_oid oid = *ParseOid(key);
    git_odb_object* raw = nullptr;
    // Reading hashes the object: libgit2's strict verification is on.
    if (const int r = git_odb_read(&raw, odb_, &oid); r < 0) {
      problems_.push_back(needed_by + " needs " + key + ", which is " +
                          (r == GIT_ENOTFOUND ? "missing" : "damaged"));
      return;
    }
    const OdbObjectHandle object(raw);
    if (git_odb_object_type(raw) == GIT_OBJECT_COMMIT) VisitCommit(oid, key);
    if (git_odb_object_type(raw) == GIT_OBJECT_TREE) VisitTree(oid, key);
    if (git_odb_object_type(raw) == GIT_OBJECT_TAG) VisitTag(oid, key);
  }

  void VisitTag(const git_oid& oid, const std::string& key) {
    git_tag* raw = nullptr;
    if (git_tag_lookup(&raw, repository_, &oid) < 0) {
      problems_.push_back("tag " + key + " cannot be read");
      return;
    }
    const TagHandle tag(raw);
    Add(*git_tag_target_id(raw), "tag " + key);
  }

  void VisitCommit(const git_oid& oid, const std::string& key) {
    git_commit* raw = nullptr;
    if (git_commit_lookup(&raw, repository_, &oid) < 0) {
      problems_.push_back("commit " + key + " cannot be read");
      return;
    }
    const CommitHandle commit(raw);
    Add(*git_commit_tree_id(raw), "commit " + key);
    for (unsigned i = 0; i < git_commit_parentcount(raw); ++i)
      Add(*git_commit_parent_id(raw, i), "commit " + key);
  }

  void VisitTree(const git_oid& oid, const std::string& key) {
    git_tree* raw = nullptr;
    if (git_tree_lookup(&raw, repository_, &oid) < 0) {
      problems_.push_back("tree " + key + " cannot be read");
      return;
    }
    const TreeHandle tree(raw);
    for (std::size_t i = 0; i < git_tree_entrycount(raw); ++i) {
      const git_tree_entry* entry = git_tree_entry_byindex(raw, i);
      if (git_tree_entry_type(entry) != GIT_OBJECT_COMMIT)
        Add(*git_tree_entry_id(entry), "tree " + key);
    }
  }

  git_repository* repository_;
  git_odb* odb_;
  std::unordered_set<std::string> seen_;
  std::vector<std::pair<std::string, std::string>> todo_;
  std::vector<std::string> problems_;
};

}  // namespace

Expected<std::vector<std::string>> CheckReachable(git_repository* repository) {
  git_odb* raw = nullptr;
  if (int r = git_repository_odb(&raw, repository); r < 0)
    return GitError("open objects", r);
  const OdbHandle odb(raw);
  ASSAY_ASSIGN_OR_RETURN(const std::vector<RefTip> tips, ReadRefs(repository));
  Walk walk(repository, raw);
  for (const RefTip& tip : tips) walk.Add(*ParseOid(tip.commit), tip.name);
  return walk.Run();
}

}  // namespace assay::repositories
