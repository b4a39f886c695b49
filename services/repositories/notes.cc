#include "services/repositories/notes.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <tuple>

#include "services/repositories/handles.h"

namespace assay::repositories {
namespace {

// In the order in which they are given.
constexpr std::array<std::string_view, 3> kStems = {"decisions", "notes",
                                                    "readme"};
constexpr std::array<std::string_view, 6> kEndings = {
    "", ".md", ".markdown", ".txt", ".rst", ".adoc"};

// The place of a name among kStems; their number for any other file.
std::size_t RankOf(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  for (std::size_t i = 0; i < kStems.size(); ++i) {
    if (!lower.starts_with(kStems[i])) continue;
    const std::string_view ending =
        std::string_view(lower).substr(kStems[i].size());
    if (std::ranges::find(kEndings, ending) != kEndings.end()) return i;
  }
  return kStems.size();
}

struct Found {
  std::size_t rank = 0;
  std::string path;
  git_oid blob;
};

// A link leads nowhere that we follow: only files count.
bool IsFile(const git_tree_entry* entry) {
  const git_filemode_t mode = git_tree_entry_filemode(entry);
  return mode == GIT_FILEMODE_BLOB || mode == GIT_FILEMODE_BLOB_EXECUTABLE;
}

void Collect(const git_tree* tree, const std::string& folder,
             std::vector<Found>& found) {
  for (std::size_t i = 0; i < git_tree_entrycount(tree); ++i) {
    const git_tree_entry* entry = git_tree_entry_byindex(tree, i);
    const char* name = git_tree_entry_name(entry);
    const std::size_t rank = RankOf(name);
    if (rank == kStems.size() || !IsFile(entry)) continue;
    found.push_back({.rank = rank,
                     .path = folder + name,
                     .blob = *git_tree_entry_id(entry)});
  }
}

Expected<TreeHandle> RootOf(git_repository* repository,
                            const std::string& commit) {
  ASSAY_ASSIGN_OR_RETURN(const CommitHandle handle,
                         LookupCommit(repository, commit));
  git_tree* tree = nullptr;
  if (int r = git_commit_tree(&tree, handle.get()); r < 0)
    return GitError("read the tree of a commit", r);
  return TreeHandle(tree);
}

bool IsInTemplate(const git_tree* root, const Found& note) {
  git_tree_entry* raw = nullptr;
  if (git_tree_entry_bypath(&raw, root, note.path.c_str()) < 0) return false;
  const bool same = git_oid_equal(git_tree_entry_id(raw), &note.blob) == 1;
  git_tree_entry_free(raw);
  return same;
}

// Leaves a blob that is too large, or gone, without content.
Expected<void> Fill(git_odb* odb, const git_oid& blob, const NoteLimits& limits,
                    Note& note) {
  std::size_t size = 0;
  git_object_t type = GIT_OBJECT_INVALID;
  if (int r = git_odb_read_header(&size, &type, odb, &blob); r < 0)
    return GitError("read a note", r);
  note.truncated = size > limits.max_bytes;
  if (size > limits.max_blob_bytes) return {};
  git_odb_object* raw = nullptr;
  if (int r = git_odb_read(&raw, odb, &blob); r < 0)
    return GitError("read a note", r);
  const OdbObjectHandle object(raw);
  std::string_view text(static_cast<const char*>(git_odb_object_data(raw)),
                        git_odb_object_size(raw));
  if (note.truncated) {
    text = text.substr(0, limits.max_bytes);
    if (const std::size_t end = text.rfind('\n'); end != text.npos)
      text = text.substr(0, end + 1);
  }
  note.content = text;
  return {};
}

}  // namespace

Expected<std::vector<Note>> ReadNotes(git_repository* repository,
                                      const std::string& template_commit,
                                      const std::string& commit,
                                      const NoteLimits& limits) {
  ASSAY_ASSIGN_OR_RETURN(const TreeHandle root, RootOf(repository, commit));
  ASSAY_ASSIGN_OR_RETURN(const TreeHandle before,
                         RootOf(repository, template_commit));
  std::vector<Found> found;
  Collect(root.get(), "", found);
  const git_tree_entry* docs = git_tree_entry_byname(root.get(), "docs");
  if (docs != nullptr && git_tree_entry_type(docs) == GIT_OBJECT_TREE) {
    git_tree* raw = nullptr;
    if (int r = git_tree_lookup(&raw, repository, git_tree_entry_id(docs));
        r < 0)
      return GitError("read the folder docs", r);
    const TreeHandle folder(raw);
    Collect(raw, "docs/", found);
  }
  std::ranges::sort(found, [](const Found& a, const Found& b) {
    return std::tie(a.rank, a.path) < std::tie(b.rank, b.path);
  });
  if (found.size() > limits.max_notes) found.resize(limits.max_notes);

  git_odb* raw = nullptr;
  if (int r = git_repository_odb(&raw, repository); r < 0)
    return GitError("open the objects", r);
  const OdbHandle odb(raw);
  std::vector<Note> notes;
  for (const Found& each : found) {
    Note& note = notes.emplace_back();
    note.path = each.path;
    note.of_template = IsInTemplate(before.get(), each);
    ASSAY_RETURN_IF_ERROR(Fill(raw, each.blob, limits, note));
  }
  return notes;
}

}  // namespace assay::repositories
