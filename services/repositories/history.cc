#include "services/repositories/history.h"

#include <algorithm>

#include "proto/base/utf8.h"
#include "services/repositories/handles.h"

namespace assay::repositories {
namespace {

constexpr std::size_t kMaxSubject = 200;
constexpr std::size_t kMaxBody = 4 << 10;
constexpr std::size_t kMaxName = 100;
// A history is walked no further, whatever the limit asked for.
constexpr int kMaxHistory = 10'000;

// Dates outside of what a Timestamp can hold are pinned to its ends.
Clock::TimePoint TimeOf(git_time_t seconds) {
  constexpr git_time_t kMin = -62135596800, kMax = 253402300799;
  return FromMicros(std::clamp(seconds, kMin, kMax) * 1'000'000);
}

// Without the empty lines around it.
std::string PresentableLines(std::string_view text, std::size_t limit) {
  const std::size_t begin = text.find_first_not_of("\r\n");
  if (begin == text.npos) return {};
  text.remove_prefix(begin);
  text = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
  std::string lines;
  while (!text.empty() && lines.size() < limit) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string line(text.substr(0, end));
    std::ranges::replace(line, '\t', ' ');
    if (line.ends_with('\r')) line.pop_back();
    lines += PresentableLine(line, limit - lines.size()) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  lines.pop_back();
  return lines;
}

CommitInfo Describe(const git_commit* commit) {
  CommitInfo info;
  info.commit = OidHex(*git_commit_id(commit));
  info.tree = OidHex(*git_commit_tree_id(commit));
  for (unsigned i = 0; i < git_commit_parentcount(commit); ++i)
    info.parents.push_back(OidHex(*git_commit_parent_id(commit, i)));
  if (const char* message = git_commit_message(commit); message != nullptr) {
    const std::string_view text(message);
    const std::size_t end = std::min(text.find('\n'), text.size());
    info.subject = PresentableLine(text.substr(0, end), kMaxSubject);
    info.body = PresentableLines(text.substr(end), kMaxBody);
  }
  if (const git_signature* author = git_commit_author(commit);
      author != nullptr) {
    info.author_name = PresentableLine(author->name, kMaxName);
    info.author_email = PresentableLine(author->email, kMaxName);
    info.author_time = TimeOf(author->when.time);
  }
  info.commit_time = TimeOf(git_commit_time(commit));
  return info;
}

}  // namespace

Expected<CommitInfo> ReadCommit(git_repository* repository,
                                const std::string& commit) {
  ASSAY_ASSIGN_OR_RETURN(const CommitHandle handle,
                         LookupCommit(repository, commit));
  return Describe(handle.get());
}

Expected<std::vector<CommitInfo>> ReadHistory(git_repository* repository,
                                              const std::string& commit,
                                              int limit) {
  ASSAY_ASSIGN_OR_RETURN(const CommitHandle tip,
                         LookupCommit(repository, commit));
  git_revwalk* raw = nullptr;
  if (int r = git_revwalk_new(&raw, repository); r < 0)
    return GitError("walk the history", r);
  const RevwalkHandle walk(raw);
  git_revwalk_sorting(raw, GIT_SORT_TOPOLOGICAL);
  if (int r = git_revwalk_push(raw, git_commit_id(tip.get())); r < 0)
    return GitError("walk the history", r);
  std::vector<CommitInfo> history;
  const auto most = static_cast<std::size_t>(std::clamp(limit, 0, kMaxHistory));
  git_oid oid;
  while (history.size() < most && git_revwalk_next(&oid, raw) == 0) {
    ASSAY_ASSIGN_OR_RETURN(CommitInfo info,
                           ReadCommit(repository, OidHex(oid)));
    history.push_back(std::move(info));
  }
  return history;
}

Expected<bool> IsAncestor(git_repository* repository,
                          const std::string& ancestor,
                          const std::string& commit) {
  ASSAY_ASSIGN_OR_RETURN(const CommitHandle older,
                         LookupCommit(repository, ancestor));
  ASSAY_ASSIGN_OR_RETURN(const CommitHandle newer,
                         LookupCommit(repository, commit));
  if (ancestor == commit) return true;
  const int result = git_graph_descendant_of(
      repository, git_commit_id(newer.get()), git_commit_id(older.get()));
  if (result < 0) return GitError("compare commits", result);
  return result == 1;
}

Expected<std::vector<RefTip>> ReadRefs(git_repository* repository) {
  git_reference_iterator* raw = nullptr;
  if (int r = git_reference_iterator_new(&raw, repository); r < 0)
    return GitError("list refs", r);
  const ReferenceIteratorHandle iterator(raw);
  std::vector<RefTip> tips;
  git_reference* raw_ref = nullptr;
  while (git_reference_next(&raw_ref, raw) == 0) {
    const ReferenceHandle ref(raw_ref);
    if (const git_oid* oid = git_reference_target(raw_ref); oid != nullptr)
      tips.push_back(
          {.name = git_reference_name(raw_ref), .commit = OidHex(*oid)});
  }
  std::ranges::sort(tips, {}, &RefTip::name);
  return tips;
}

}  // namespace assay::repositories
