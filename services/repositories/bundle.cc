#include "services/repositories/bundle.h"

#include <git2/odb_backend.h>

#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "services/repositories/handles.h"
#include "services/repositories/history.h"

namespace assay::repositories {
namespace {

constexpr std::string_view kSignature = "# v2 git bundle\n";
constexpr std::string_view kSubmissions = "refs/submissions/";
// Names commits that no ref has any more; never made a ref.
constexpr std::string_view kCommits = "refs/commits/";
constexpr std::string_view kMain = "refs/heads/main";

using WritePackHandle =
    std::unique_ptr<git_odb_writepack, decltype([](git_odb_writepack* pack) {
                      pack->free(pack);
                    })>;

int AppendTo(void* data, std::size_t size, void* text) {
  static_cast<std::string*>(text)->append(static_cast<char*>(data), size);
  return 0;
}

// The pack of what `tips` reach beyond `base`; empty where that is nothing.
Expected<std::string> PackBeyond(git_repository* repository,
                                 const git_oid& base,
                                 const std::vector<RefTip>& tips) {
  git_revwalk* raw_walk = nullptr;
  if (int r = git_revwalk_new(&raw_walk, repository); r < 0)
    return GitError("walk the history", r);
  const RevwalkHandle walk(raw_walk);
  for (const RefTip& tip : tips) {
    ASSAY_ASSIGN_OR_RETURN(const git_oid oid, ParseOid(tip.commit));
    if (int r = git_revwalk_push(raw_walk, &oid); r < 0)
      return GitError("walk from " + tip.commit, r);
  }
  if (int r = git_revwalk_hide(raw_walk, &base); r < 0)
    return GitError("walk to the template", r);
  git_packbuilder* raw_builder = nullptr;
  if (int r = git_packbuilder_new(&raw_builder, repository); r < 0)
    return GitError("build the pack", r);
  const PackBuilderHandle builder(raw_builder);
  git_packbuilder_set_threads(raw_builder, 1);
  if (int r = git_packbuilder_insert_walk(raw_builder, raw_walk); r < 0)
    return GitError("fill the pack", r);
  // Annotated tags are no commits of the walk.
  for (const RefTip& tip : tips) {
    ASSAY_ASSIGN_OR_RETURN(const git_oid oid, ParseOid(tip.commit));
    git_tag* raw_tag = nullptr;
    if (git_tag_lookup(&raw_tag, repository, &oid) < 0) continue;
    const TagHandle tag(raw_tag);
    if (int r = git_packbuilder_insert(raw_builder, &oid, nullptr); r < 0)
      return GitError("pack " + tip.commit, r);
  }
  std::string pack;
  if (git_packbuilder_object_count(raw_builder) == 0) return pack;
  if (int r = git_packbuilder_foreach(raw_builder, AppendTo, &pack); r < 0)
    return GitError("write the pack", r);
  return pack;
}

struct Parsed {
  std::map<std::string, git_oid> refs;
  std::string_view pack;
};

std::unexpected<Error> NoBundle() {
  return DataLoss("the bundle of a repository cannot be read");
}

Expected<Parsed> Parse(std::string_view bundle,
                       const std::string& template_commit) {
  if (!bundle.starts_with(kSignature)) return NoBundle();
  bundle.remove_prefix(kSignature.size());
  Parsed parsed;
  for (;;) {
    const std::size_t end = bundle.find('\n');
    if (end == std::string_view::npos) return NoBundle();
    const std::string_view line = bundle.substr(0, end);
    bundle.remove_prefix(end + 1);
    if (line.empty()) break;
    if (line.front() == '-') {
      if (line.substr(1, 40) != template_commit) return NoBundle();
      continue;
    }
    if (line.size() < 42 || line[40] != ' ') return NoBundle();
    ASSAY_ASSIGN_OR_RETURN(parsed.refs[std::string(line.substr(41))],
                           ParseOid(line.substr(0, 40)));
  }
  parsed.pack = bundle;
  return parsed;
}

Status TakeObjects(git_repository* repository, std::string_view pack) {
  if (pack.empty()) return {};
  git_odb* raw_odb = nullptr;
  if (int r = git_repository_odb(&raw_odb, repository); r < 0)
    return GitError("open objects", r);
  const OdbHandle odb(raw_odb);
  git_odb_writepack* raw = nullptr;
  if (int r = git_odb_write_pack(&raw, raw_odb, nullptr, nullptr); r < 0)
    return GitError("take the pack in", r);
  const WritePackHandle writer(raw);
  git_indexer_progress progress{};
  if (int r = raw->append(raw, pack.data(), pack.size(), &progress); r < 0)
    return GitError("take the pack in", r);
  if (int r = raw->commit(raw, &progress); r < 0)
    return GitError("take the pack in", r);
  return {};
}

Status SetRefs(git_repository* repository,
               const std::map<std::string, git_oid>& refs) {
  for (const auto& [name, oid] : refs) {
    if (name.starts_with(kCommits)) continue;
    git_oid present;
    if (git_reference_name_to_id(&present, repository, name.c_str()) == 0 &&
        git_oid_equal(&present, &oid) == 1)
      continue;
    git_reference* raw = nullptr;
    if (int r = git_reference_create(&raw, repository, name.c_str(), &oid, 1,
                                     nullptr);
        r < 0)
      return GitError("write " + name, r);
    const ReferenceHandle made(raw);
  }
  ASSAY_ASSIGN_OR_RETURN(const auto present, ReadRefs(repository));
  for (const RefTip& tip : present) {
    if (refs.contains(tip.name) || tip.name.starts_with(kSubmissions)) continue;
    if (int r = git_reference_remove(repository, tip.name.c_str()); r < 0)
      return GitError("remove " + tip.name, r);
  }
  return {};
}

}  // namespace

Expected<std::string> WriteBundle(git_repository* repository,
                                  const std::string& template_commit,
                                  const std::vector<std::string>& commits) {
  ASSAY_ASSIGN_OR_RETURN(const git_oid base, ParseOid(template_commit));
  ASSAY_ASSIGN_OR_RETURN(auto tips, ReadRefs(repository));
  for (const std::string& commit : std::set(commits.begin(), commits.end()))
    if (LookupCommit(repository, commit))
      tips.push_back({std::string(kCommits) + commit, commit});
  if (tips.size() == 1 && tips.front().name == kMain &&
      tips.front().commit == template_commit)
    return std::string();
  ASSAY_ASSIGN_OR_RETURN(const std::string pack,
                         PackBeyond(repository, base, tips));
  std::string bundle(kSignature);
  bundle += "-" + template_commit + " template\n";
  for (const RefTip& tip : tips) bundle += tip.commit + " " + tip.name + "\n";
  bundle += "\n";
  return bundle + pack;
}

Status ApplyBundle(git_repository* repository, const std::string& bundle,
                   const std::string& template_commit) {
  if (bundle.empty()) {
    ASSAY_ASSIGN_OR_RETURN(const git_oid base, ParseOid(template_commit));
    return SetRefs(repository, {{std::string(kMain), base}});
  }
  ASSAY_ASSIGN_OR_RETURN(const Parsed parsed, Parse(bundle, template_commit));
  ASSAY_RETURN_IF_ERROR(TakeObjects(repository, parsed.pack));
  return SetRefs(repository, parsed.refs);
}

Expected<v1::FileTree> ReadTemplateFiles(git_repository* store,
                                         const std::string& commit) {
  ASSAY_ASSIGN_OR_RETURN(const CommitHandle handle,
                         LookupCommit(store, commit));
  git_tree* raw_tree = nullptr;
  if (int r = git_commit_tree(&raw_tree, handle.get()); r < 0)
    return GitError("read template " + commit, r);
  const TreeHandle tree(raw_tree);
  struct Walk {
    git_repository* store;
    v1::FileTree files;
  } walk{store, {}};
  const auto visit = [](const char* root, const git_tree_entry* entry,
                        void* payload) -> int {
    if (git_tree_entry_type(entry) != GIT_OBJECT_BLOB) return 0;
    auto& to = *static_cast<Walk*>(payload);
    git_object* raw = nullptr;
    if (int r = git_tree_entry_to_object(&raw, to.store, entry); r < 0)
      return r;
    const ObjectHandle object(raw);
    const auto* blob = reinterpret_cast<const git_blob*>(raw);
    v1::FileTree::File& file = *to.files.add_files();
    file.set_path(std::string(root) + git_tree_entry_name(entry));
    file.set_mode(git_tree_entry_filemode(entry));
    file.set_content(git_blob_rawcontent(blob),
                     static_cast<std::size_t>(git_blob_rawsize(blob)));
    return 0;
  };
  if (int r = git_tree_walk(raw_tree, GIT_TREEWALK_PRE, visit, &walk); r < 0)
    return GitError("read template " + commit, r);
  return std::move(walk.files);
}

}  // namespace assay::repositories
