#include "services/repositories/pack_writer.h"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "proto/base/digest.h"
#include "services/repositories/handles.h"

namespace assay::repositories {
namespace {

// A checkout's size; saturates, so that a tree bomb cannot wrap it.
struct Extent {
  std::int64_t files = 0;
  std::int64_t bytes = 0;
};

constexpr std::int64_t kSaturated = std::int64_t{1} << 60;

std::int64_t Add(std::int64_t a, std::int64_t b) {
  return std::min(kSaturated, a + b);
}

// Puts a tree's objects into a pack builder and counts what they unpack to.
class TreeCollector {
 public:
  TreeCollector(git_repository* repository, git_odb* odb,
                git_packbuilder* builder, const TreeLimits& limits)
      : repository_(repository),
        odb_(odb),
        builder_(builder),
        limits_(limits) {}

  Expected<Extent> AddTree(const git_oid& oid, int depth) {
    const std::string key = OidHex(oid);
    if (const auto seen = extents_.find(key); seen != extents_.end())
      return seen->second;
    if (depth > limits_.max_depth)
      return ResourceExhausted("directories are nested more than ",
                               limits_.max_depth, " deep");
    git_tree* raw = nullptr;
    if (git_tree_lookup(&raw, repository_, &oid) < 0)
      return DataLoss("tree ", key, " is missing or damaged");
    const TreeHandle tree(raw);
    ASSAY_RETURN_IF_ERROR(Insert(oid));
    Extent extent{.files = 1};
    for (std::size_t i = 0; i < git_tree_entrycount(raw); ++i) {
      ASSAY_ASSIGN_OR_RETURN(const Extent entry,
                             AddEntry(*git_tree_entry_byindex(raw, i), depth));
      extent.files = Add(extent.files, entry.files);
      extent.bytes = Add(extent.bytes, entry.bytes);
    }
    ASSAY_RETURN_IF_ERROR(CheckExtent(extent));
    return extents_[key] = extent;
  }

 private:
  Expected<Extent> AddEntry(const git_tree_entry& entry, int depth) {
    const git_oid& oid = *git_tree_entry_id(&entry);
    switch (git_tree_entry_type(&entry)) {
      case GIT_OBJECT_TREE:
        return AddTree(oid, depth + 1);
      case GIT_OBJECT_BLOB:
        return AddBlob(oid);
      default:
        return Extent{};
    }
  }

  Expected<Extent> AddBlob(const git_oid& oid) {
    const std::string key = OidHex(oid);
    if (const auto seen = extents_.find(key); seen != extents_.end())
      return seen->second;
    std::size_t size = 0;
    git_object_t type = GIT_OBJECT_INVALID;
    if (git_odb_read_header(&size, &type, odb_, &oid) < 0 ||
        type != GIT_OBJECT_BLOB)
      return DataLoss("file ", key, " is missing or damaged");
    const Extent extent{.files = 1, .bytes = static_cast<std::int64_t>(size)};
    ASSAY_RETURN_IF_ERROR(CheckExtent(extent));
    ASSAY_RETURN_IF_ERROR(Insert(oid));
    return extents_[key] = extent;
  }

  Status Insert(const git_oid& oid) {
    if (int r = git_packbuilder_insert(builder_, &oid, nullptr); r < 0)
      return GitError("pack " + OidHex(oid), r);
    return {};
  }

  Status CheckExtent(const Extent& extent) const {
    if (extent.files > limits_.max_files)
      return ResourceExhausted("the commit unpacks to more than ",
                               limits_.max_files, " files and directories");
    if (extent.bytes > limits_.max_bytes)
      return ResourceExhausted("the commit unpacks to more than ",
                               limits_.max_bytes, " bytes");
    return {};
  }

  git_repository* repository_;
  git_odb* odb_;
  git_packbuilder* builder_;
  const TreeLimits& limits_;
  std::unordered_map<std::string, Extent> extents_;
};

// Takes what the pack builder emits: a file and its digest.
class PackFile {
 public:
  explicit PackFile(const std::filesystem::path& path)
      : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                   0600)) {
    crypto_hash_sha256_init(&hash_);
  }
  ~PackFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  PackFile(const PackFile&) = delete;
  PackFile& operator=(const PackFile&) = delete;

  bool open() const { return fd_ >= 0; }
  std::int64_t bytes() const { return bytes_; }

  static int Append(void* data, std::size_t size, void* self) {
    return static_cast<PackFile*>(self)->Append(static_cast<char*>(data), size);
  }

  std::string Digest() {
    unsigned char out[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_final(&hash_, out);
    return ToHex(
        std::string_view(reinterpret_cast<const char*>(out), sizeof out));
  }

 private:
  int Append(const char* data, std::size_t size) {
    crypto_hash_sha256_update(
        &hash_, reinterpret_cast<const unsigned char*>(data), size);
    bytes_ += static_cast<std::int64_t>(size);
    while (size > 0) {
      const ssize_t written = ::write(fd_, data, size);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) {
        git_error_set_str(GIT_ERROR_OS, std::strerror(errno));
        return GIT_EUSER;
      }
      data += written;
      size -= static_cast<std::size_t>(written);
    }
    return 0;
  }

  int fd_;
  std::int64_t bytes_ = 0;
  crypto_hash_sha256_state hash_;
};

Expected<Pack> Emit(git_packbuilder* builder,
                    const std::filesystem::path& path) {
  PackFile file(path);
  if (!file.open()) return SystemError("create " + path.string(), errno);
  const int result = git_packbuilder_foreach(builder, PackFile::Append, &file);
  if (result < 0) {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
    return GitError("write " + path.string(), result);
  }
  return Pack{.path = path, .digest = file.Digest(), .bytes = file.bytes()};
}

}  // namespace

Expected<Pack> WriteCommitPack(const std::filesystem::path& repository_path,
                               const std::string& commit,
                               const std::filesystem::path& path,
                               const TreeLimits& limits) {
  ASSAY_ASSIGN_OR_RETURN(const git_oid oid, ParseOid(commit));
  ASSAY_ASSIGN_OR_RETURN(const RepositoryHandle repository,
                         OpenBare(repository_path));
  git_odb* raw_odb = nullptr;
  if (int r = git_repository_odb(&raw_odb, repository.get()); r < 0)
    return GitError("open objects", r);
  const OdbHandle odb(raw_odb);
  git_commit* raw_commit = nullptr;
  if (git_commit_lookup(&raw_commit, repository.get(), &oid) < 0)
    return NotFound("no commit ", commit, " in this repository");
  const CommitHandle handle(raw_commit);
  git_packbuilder* raw_builder = nullptr;
  if (int r = git_packbuilder_new(&raw_builder, repository.get()); r < 0)
    return GitError("build the pack", r);
  const PackBuilderHandle builder(raw_builder);
  git_packbuilder_set_threads(raw_builder, 1);
  if (int r = git_packbuilder_insert(raw_builder, &oid, nullptr); r < 0)
    return GitError("pack " + commit, r);
  TreeCollector collector(repository.get(), raw_odb, raw_builder, limits);
  ASSAY_ASSIGN_OR_RETURN([[maybe_unused]] const Extent extent,
                         collector.AddTree(*git_commit_tree_id(raw_commit), 0));
  return Emit(raw_builder, path);
}

}  // namespace assay::repositories
