#include "services/repositories/incoming.h"

#include <unordered_set>
#include <vector>

#include "services/repositories/fixed_refs.h"
#include "services/repositories/handles.h"
#include "services/repositories/subject_pattern.h"

namespace assay::repositories {
namespace {

namespace fs = std::filesystem;

// A repository before and after what is pushed to it.
struct View {
  RepositoryHandle repository;
  OdbHandle with;     // with the quarantine
  OdbHandle without;  // as it was
};

Expected<View> Open(const fs::path& path, const fs::path& quarantine) {
  View view;
  ASSAY_ASSIGN_OR_RETURN(view.repository, OpenBare(path));
  git_odb* raw = nullptr;
  if (int r = git_odb_open(&raw, (path / "objects").c_str()); r < 0)
    return GitError("open objects", r);
  view.without.reset(raw);
  if (int r = git_repository_odb(&raw, view.repository.get()); r < 0)
    return GitError("open objects", r);
  view.with.reset(raw);
  if (quarantine.empty()) return view;
  // Git writes its name as ".../x.git/./objects/tmp_objdir-...".
  if (quarantine.lexically_normal().parent_path() !=
      (path / "objects").lexically_normal())
    return Internal("git keeps new objects in an unexpected place: ",
                    quarantine.string());
  if (int r = git_odb_add_disk_alternate(raw, quarantine.c_str()); r < 0)
    return GitError("open new objects", r);
  return view;
}

Status CheckCommitObject(const View& view, const git_oid& oid,
                         const IncomingRules& rules) {
  std::size_t size = 0;
  git_object_t type = GIT_OBJECT_INVALID;
  const int read = git_odb_read_header(&size, &type, view.with.get(), &oid);
  if (read == GIT_ENOTFOUND)
    return InvalidArgument("commit ", OidHex(oid), " was not sent");
  if (read < 0) return GitError("read commit " + OidHex(oid), read);
  if (type != GIT_OBJECT_COMMIT)
    return InvalidArgument("a branch points at a commit, and ", OidHex(oid),
                           " is none");
  if (static_cast<std::int64_t>(size) > rules.max_commit_bytes)
    return ResourceExhausted("commit ", OidHex(oid), " has ", size,
                             " bytes without its files; a message may have ",
                             rules.max_commit_bytes);
  return {};
}

// Ends what takes too long, between two objects.
class Patience {
 public:
  explicit Patience(std::chrono::milliseconds time)
      : end_(std::chrono::steady_clock::now() + time) {}
  Status Check() const {
    if (std::chrono::steady_clock::now() < end_) return {};
    return ResourceExhausted("what was pushed takes too long to look through");
  }

 private:
  const std::chrono::steady_clock::time_point end_;
};

// The author's rules for commits, against one after the other.
class CommitJudge {
 public:
  static Expected<CommitJudge> Make(const View& view,
                                    const CommitRules& rules) {
    CommitJudge judge;
    judge.linear_ = rules.linear;
    ASSAY_ASSIGN_OR_RETURN(judge.subject_,
                           SubjectPattern::Compile(rules.subject));
    if (!rules.linear) return judge;
    git_reference_iterator* raw = nullptr;
    if (int r = git_reference_iterator_glob_new(&raw, view.repository.get(),
                                                "refs/heads/template-*");
        r < 0)
      return GitError("list refs", r);
    const ReferenceIteratorHandle iterator(raw);
    git_reference* raw_ref = nullptr;
    while (git_reference_next(&raw_ref, raw) == 0) {
      const ReferenceHandle ref(raw_ref);
      if (const git_oid* oid = git_reference_target(raw_ref); oid != nullptr)
        judge.offered_.insert(OidHex(*oid));
    }
    return judge;
  }

  Status Check(const git_commit* commit) const {
    const std::string name =
        "commit " + OidHex(*git_commit_id(commit)).substr(0, 12);
    const unsigned parents = git_commit_parentcount(commit);
    // Git writes the message of a merge.
    if (parents > 1 && !linear_) return {};
    for (unsigned i = 1; i < parents; ++i)
      if (!offered_.contains(OidHex(*git_commit_parent_id(commit, i))))
        return InvalidArgument(name, " is a merge, which is not taken here");
    if (parents > 1) return {};
    const Status subject = subject_.Check(git_commit_message(commit));
    if (!subject) return InvalidArgument(name, ": ", subject.error().message);
    return {};
  }

 private:
  SubjectPattern subject_;
  bool linear_ = false;
  std::unordered_set<std::string> offered_;
};

// Every commit that is new, and no other: histories may be as long as they
// like when they came in pieces.
Status CheckCommits(const View& view, const git_oid& tip,
                    const IncomingRules& rules, const Patience& patience) {
  ASSAY_ASSIGN_OR_RETURN(const CommitJudge judge,
                         CommitJudge::Make(view, rules.commits));
  std::vector<git_oid> todo{tip};
  std::unordered_set<std::string> seen{OidHex(tip)};
  while (!todo.empty()) {
    const git_oid oid = todo.back();
    todo.pop_back();
    ASSAY_RETURN_IF_ERROR(patience.Check());
    ASSAY_RETURN_IF_ERROR(CheckCommitObject(view, oid, rules));
    if (git_odb_exists(view.without.get(), &oid) == 1) continue;
    git_commit* raw = nullptr;
    if (git_commit_lookup(&raw, view.repository.get(), &oid) < 0)
      return InvalidArgument("commit ", OidHex(oid), " cannot be read");
    const CommitHandle commit(raw);
    ASSAY_RETURN_IF_ERROR(judge.Check(raw));
    for (unsigned i = 0; i < git_commit_parentcount(raw); ++i)
      if (seen.insert(OidHex(*git_commit_parent_id(raw, i))).second)
        todo.push_back(*git_commit_parent_id(raw, i));
    if (seen.size() > static_cast<std::size_t>(rules.max_commits))
      return ResourceExhausted("a push may bring up to ", rules.max_commits,
                               " commits; push them in parts");
  }
  return {};
}

// The commit that a tag names, directly; tags of tags are for nobody here.
Expected<git_oid> TaggedCommit(const View& view, const git_oid& tip,
                               const IncomingRules& rules) {
  std::size_t size = 0;
  git_object_t type = GIT_OBJECT_INVALID;
  if (git_odb_read_header(&size, &type, view.with.get(), &tip) < 0)
    return InvalidArgument("tag ", OidHex(tip), " was not sent");
  if (type != GIT_OBJECT_TAG) return tip;
  if (static_cast<std::int64_t>(size) > rules.max_commit_bytes)
    return ResourceExhausted("tag ", OidHex(tip), " has ", size,
                             " bytes; a message may have ",
                             rules.max_commit_bytes);
  git_tag* raw = nullptr;
  if (git_tag_lookup(&raw, view.repository.get(), &tip) < 0)
    return InvalidArgument("tag ", OidHex(tip), " cannot be read");
  const TagHandle tag(raw);
  return *git_tag_target_id(raw);
}

// A branch that is rewritten leaves its old tip without a name.
Status KeepReplaced(const View& view, const fs::path& path,
                    const std::string& old_commit, const git_oid& tip) {
  if (old_commit.find_first_not_of('0') == std::string::npos) return {};
  ASSAY_ASSIGN_OR_RETURN(const git_oid old, ParseOid(old_commit));
  // A client may claim any old commit; git refuses a wrong one by itself.
  if (git_odb_exists(view.without.get(), &old) != 1) return {};
  if (git_oid_equal(&old, &tip) == 1) return {};
  const int follows =
      git_graph_descendant_of(view.repository.get(), &tip, &old);
  if (follows == 1) return {};
  return WriteFixedRef(view.repository.get(), path, "refs/pushes/" + old_commit,
                       old_commit);
}

}  // namespace

Status CheckIncoming(const fs::path& path, const fs::path& quarantine,
                     const std::string& old_commit,
                     const std::string& new_commit,
                     const IncomingRules& rules) {
  ASSAY_ASSIGN_OR_RETURN(git_oid tip, ParseOid(new_commit));
  ASSAY_ASSIGN_OR_RETURN(const View view, Open(path, quarantine));
  if (rules.tag) {
    ASSAY_ASSIGN_OR_RETURN(tip, TaggedCommit(view, tip, rules));
  }
  const Patience patience(rules.max_time);
  ASSAY_RETURN_IF_ERROR(CheckCommits(view, tip, rules, patience));
  git_commit* raw = nullptr;
  if (git_commit_lookup(&raw, view.repository.get(), &tip) < 0)
    return InvalidArgument("commit ", OidHex(tip), " cannot be read");
  const CommitHandle commit(raw);
  TreeMeter meter(view.repository.get(), view.with.get(), rules.tree,
                  [&](const git_oid&) { return patience.Check(); });
  ASSAY_RETURN_IF_ERROR(meter.Measure(*git_commit_tree_id(raw)));
  return KeepReplaced(view, path, old_commit, tip);
}

}  // namespace assay::repositories
