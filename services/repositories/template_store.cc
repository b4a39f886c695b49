#include "services/repositories/template_store.h"

#include <git2/sys/mempack.h>
#include <git2/sys/odb_backend.h>

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/base/fault_point.h"
#include "proto/base/id.h"
#include "services/repositories/durable_files.h"
#include "services/repositories/handles.h"
#include "services/repositories/tree_rules.h"

namespace assay::repositories {
namespace {

namespace fs = std::filesystem;
using File = v1::FileTree::File;
using Files = std::vector<const File*>;

constexpr std::string_view kConfig =
    "[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tfsync = all\n"
    // Packs for workers are built in this process: no deltas of large files.
    "\tbigFileThreshold = 1m\n"
    "[gc]\n\tauto = 0\n[receive]\n\tautogc = false\n";
constexpr std::string_view kHead = "ref: refs/heads/main\n";

// Removes a directory that was not kept.
class Scratch {
 public:
  explicit Scratch(fs::path path) : path_(std::move(path)) {}
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Writes the tree of `files` (sorted by path), whose paths all begin with the
// same `prefix` bytes.
Expected<git_oid> WriteTree(git_repository* repository, git_odb* odb,
                            std::span<const File* const> files,
                            std::size_t prefix) {
  git_treebuilder* raw = nullptr;
  if (int r = git_treebuilder_new(&raw, repository, nullptr); r < 0)
    return GitError("build a tree", r);
  const TreeBuilderHandle builder(raw);
  for (auto it = files.begin(); it != files.end();) {
    const std::string& path = (*it)->path();
    const std::size_t slash = path.find('/', prefix);
    const std::string name = path.substr(prefix, slash - prefix);
    git_oid oid;
    git_filemode_t mode = GIT_FILEMODE_TREE;
    auto next = std::next(it);
    if (slash == std::string::npos) {
      const std::string& content = (*it)->content();
      mode = static_cast<git_filemode_t>((*it)->mode());
      if (int r = git_odb_write(&oid, odb, content.data(), content.size(),
                                GIT_OBJECT_BLOB);
          r < 0)
        return GitError("store " + path, r);
    } else {
      const std::string_view directory(path.data(), slash + 1);
      next = std::find_if(it, files.end(), [&](const File* file) {
        return !file->path().starts_with(directory);
      });
      ASSAY_ASSIGN_OR_RETURN(
          oid, WriteTree(repository, odb, std::span(it, next), slash + 1));
    }
    if (int r = git_treebuilder_insert(nullptr, raw, name.c_str(), &oid, mode);
        r < 0)
      return GitError("add " + path, r);
    it = next;
  }
  git_oid tree;
  if (int r = git_treebuilder_write(&tree, raw); r < 0)
    return GitError("write a tree", r);
  return tree;
}

// The author and the date are fixed, so that equal files are an equal commit
// and nothing of the machine that made it shows.
Expected<git_oid> WriteRootCommit(git_repository* repository, git_odb* odb,
                                  const git_oid& tree) {
  const std::string text = "tree " + OidHex(tree) +
                           "\nauthor Assay <assay@localhost> 946684800 +0000"
                           "\ncommitter Assay <assay@localhost> 946684800 +0000"
                           "\n\nTemplate\n";
  git_oid commit;
  if (int r = git_odb_write(&commit, odb, text.data(), text.size(),
                            GIT_OBJECT_COMMIT);
      r < 0)
    return GitError("write the root commit", r);
  return commit;
}

// Builds all objects in memory and writes them out as one pack, which costs
// one flush where loose objects would cost one each.
Expected<git_oid> WriteObjects(const fs::path& store, Files files) {
  ASSAY_ASSIGN_OR_RETURN(const RepositoryHandle repository, OpenBare(store));
  git_odb* raw_odb = nullptr;
  if (int r = git_repository_odb(&raw_odb, repository.get()); r < 0)
    return GitError("open objects", r);
  const OdbHandle odb(raw_odb);
  git_odb_backend* memory = nullptr;
  if (int r = git_mempack_new(&memory); r < 0) return GitError("mempack", r);
  if (int r = git_odb_add_backend(raw_odb, memory, 1'000); r < 0)
    return GitError("add mempack", r);

  ASSAY_ASSIGN_OR_RETURN(const git_oid tree,
                         WriteTree(repository.get(), raw_odb, files, 0));
  ASSAY_ASSIGN_OR_RETURN(const git_oid commit,
                         WriteRootCommit(repository.get(), raw_odb, tree));
  git_packbuilder* raw_pack = nullptr;
  if (int r = git_packbuilder_new(&raw_pack, repository.get()); r < 0)
    return GitError("build the pack", r);
  const PackBuilderHandle pack(raw_pack);
  if (int r = git_packbuilder_insert_commit(raw_pack, &commit); r < 0)
    return GitError("fill the pack", r);
  const fs::path directory = store / "objects" / "pack";
  if (int r = git_packbuilder_write(raw_pack, directory.c_str(), 0400, nullptr,
                                    nullptr);
      r < 0)
    return GitError("write the pack", r);
  return commit;
}

Status MakeStoreDirectories(const fs::path& store) {
  for (const char* name :
       {"", "refs", "objects", "objects/pack", "objects/info", "skeleton"})
    ASSAY_RETURN_IF_ERROR(MakeDirectory(store / name));
  ASSAY_RETURN_IF_ERROR(WriteNewFile(store / "HEAD", kHead));
  return WriteNewFile(store / "config", kConfig);
}

Status WriteSkeleton(const fs::path& store, const std::string& commit) {
  const std::string refs = "# pack-refs with: peeled fully-peeled sorted \n" +
                           commit + " refs/heads/main\n";
  const fs::path skeleton = store / "skeleton";
  ASSAY_RETURN_IF_ERROR(WriteNewFile(store / "packed-refs", refs));
  ASSAY_RETURN_IF_ERROR(WriteNewFile(skeleton / "HEAD", kHead));
  ASSAY_RETURN_IF_ERROR(WriteNewFile(skeleton / "config", kConfig));
  ASSAY_RETURN_IF_ERROR(WriteNewFile(skeleton / "packed-refs", refs));
  // Relative, so that the data directory can be moved.
  return WriteNewFile(skeleton / "alternates",
                      "../../../templates/" + commit + ".git/objects\n");
}

}  // namespace

TemplateStore::TemplateStore(fs::path root) : root_(std::move(root)) {}

fs::path TemplateStore::Path(const std::string& commit) const {
  return root_ / (commit + ".git");
}

Expected<std::string> TemplateStore::Create(const v1::FileTree& tree) const {
  ASSAY_RETURN_IF_ERROR(CheckTemplateFiles(tree));
  Files files;
  for (const File& file : tree.files()) files.push_back(&file);
  // By path with `/` lowest, so that each directory's files are neighbours.
  std::ranges::sort(files, [](const File* a, const File* b) {
    return std::ranges::lexicographical_compare(
        a->path(), b->path(), {}, [](char c) { return c == '/' ? '\0' : c; },
        [](char c) { return c == '/' ? '\0' : c; });
  });

  const Scratch scratch(root_ / ("tmp-" + RandomToken()));
  ASSAY_RETURN_IF_ERROR(MakeStoreDirectories(scratch.path()));
  ASSAY_ASSIGN_OR_RETURN(const git_oid oid,
                         WriteObjects(scratch.path(), std::move(files)));
  const std::string commit = OidHex(oid);
  if (fs::exists(Path(commit))) return commit;
  ASSAY_RETURN_IF_ERROR(WriteSkeleton(scratch.path(), commit));
  ASSAY_RETURN_IF_ERROR(SyncTree(scratch.path()));
  ReachFaultPoint("template.packed");
  std::error_code error;
  fs::rename(scratch.path(), Path(commit), error);
  // Whoever made the same template in the meantime made the same files.
  if (error && !fs::exists(Path(commit)))
    return SystemError("keep template " + commit, error.value());
  ReachFaultPoint("template.kept");
  ASSAY_RETURN_IF_ERROR(SyncDirectory(root_));
  return commit;
}

Status TemplateStore::CreateRepository(const std::string& commit,
                                       const fs::path& repository) const {
  ASSAY_RETURN_IF_ERROR(ParseOid(commit));
  const fs::path skeleton = Path(commit) / "skeleton";
  if (!fs::exists(skeleton)) return NotFound("no template ", commit);
  for (const char* name :
       {"", "refs", "objects", "objects/pack", "objects/info"})
    ASSAY_RETURN_IF_ERROR(MakeDirectory(repository / name));
  ASSAY_RETURN_IF_ERROR(LinkFile(skeleton / "alternates",
                                 repository / "objects/info/alternates"));
  for (const char* name : {"packed-refs", "config"})
    ASSAY_RETURN_IF_ERROR(LinkFile(skeleton / name, repository / name));
  ReachFaultPoint("repository.begun");
  // HEAD comes last: without it git takes the directory for no repository.
  ASSAY_RETURN_IF_ERROR(LinkFile(skeleton / "HEAD", repository / "HEAD"));
  ReachFaultPoint("repository.linked");
  return SyncNames({repository.parent_path(), repository / "objects/info",
                    repository / "objects", repository});
}

}  // namespace assay::repositories
