#include "services/repositories/pack_writer.h"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "proto/base/digest.h"
#include "services/repositories/handles.h"

namespace assay::repositories {
namespace {

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
  TreeMeter meter(
      repository.get(), raw_odb, limits,
      [raw_builder](const git_oid& object) -> Status {
        if (int r = git_packbuilder_insert(raw_builder, &object, nullptr);
            r < 0)
          return GitError("pack " + OidHex(object), r);
        return {};
      });
  ASSAY_RETURN_IF_ERROR(meter.Measure(*git_commit_tree_id(raw_commit)));
  return Emit(raw_builder, path);
}

}  // namespace assay::repositories
