#include "services/storage/blobs/local.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/thread_pool.hpp>
#include <cerrno>
#include <utility>

#include "proto/base/digest.h"
#include "proto/base/fault_point.h"
#include "proto/base/id.h"
#include "services/storage/blobs/pool_call.h"

namespace assay::storage {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

std::unexpected<Error> Unwritable(const char* what, const fs::path& path) {
  const int error = errno;
  const Error system = SystemError(what, error).error();
  return Unavailable("blob ", path.string(),
                     " cannot be kept: ", system.message,
                     "; check the disk that holds it");
}

Status SyncDirectory(const fs::path& path) {
  const FileDescriptor directory(
      open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0) return Unwritable("open", path);
  if (fsync(directory.get()) != 0) return Unwritable("fsync", path);
  return {};
}

Status WriteDurably(const fs::path& path, const std::string& content) {
  const FileDescriptor file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0) return Unwritable("open", path);
  std::size_t written = 0;
  while (written < content.size()) {
    const ssize_t count =
        write(file.get(), content.data() + written, content.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Unwritable("write", path);
    written += static_cast<std::size_t>(count);
  }
  if (fsync(file.get()) != 0) return Unwritable("fsync", path);
  return {};
}

// The files; each function blocks. Threads: any.
class LocalFiles {
 public:
  explicit LocalFiles(fs::path directory) : directory_(std::move(directory)) {}

  Expected<std::string> Put(const std::string& content) const {
    std::string digest = Sha256Hex(content);
    const fs::path path = PathOf(digest);
    const fs::path parent = path.parent_path();
    if (access(path.c_str(), F_OK) == 0) {
      // Whoever renamed it may have died before the flush.
      ASSAY_RETURN_IF_ERROR(SyncDirectory(parent));
      return digest;
    }
    if (mkdir(parent.c_str(), 0700) == 0) {
      ASSAY_RETURN_IF_ERROR(SyncDirectory(directory_));
    } else if (errno != EEXIST) {
      return Unwritable("mkdir", parent);
    }
    const fs::path draft = parent / (".draft-" + RandomToken());
    Status written = WriteDurably(draft, content);
    ReachFaultPoint("blob.drafted");
    if (written && rename(draft.c_str(), path.c_str()) != 0)
      written = Unwritable("rename", path);
    if (!written) {
      unlink(draft.c_str());
      return std::unexpected(written.error());
    }
    ReachFaultPoint("blob.renamed");
    ASSAY_RETURN_IF_ERROR(SyncDirectory(parent));
    return digest;
  }

  Expected<std::string> Get(const std::string& digest) const {
    if (!IsDigest(digest)) return NotFound("there is no blob \"", digest, "\"");
    const fs::path path = PathOf(digest);
    const FileDescriptor file(
        open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (file.get() < 0 && errno == ENOENT)
      return NotFound("there is no blob \"", digest, "\"");
    struct stat status{};
    if (file.get() < 0 || fstat(file.get(), &status) != 0)
      return Unavailable("blob ", path.string(), " cannot be read: ",
                         SystemError("open", errno).error().message);
    std::string content(static_cast<std::size_t>(status.st_size), '\0');
    std::size_t have = 0;
    while (have < content.size()) {
      const ssize_t count =
          read(file.get(), content.data() + have, content.size() - have);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) break;
      have += static_cast<std::size_t>(count);
    }
    if (have != content.size() || Sha256Hex(content) != digest)
      return DataLoss("blob ", digest, " no longer matches its name; restore ",
                      path.string(), " from a backup");
    return content;
  }

  bool Has(const std::string& digest) const {
    return IsDigest(digest) && access(PathOf(digest).c_str(), F_OK) == 0;
  }

  Expected<std::vector<std::string>> List(const std::string& after) const {
    std::vector<std::string> found;
    std::error_code error;
    std::vector<fs::path> parents;
    for (fs::directory_iterator entry(directory_, error), end;
         !error && entry != end; entry.increment(error))
      parents.push_back(entry->path());
    std::ranges::sort(parents);
    for (const fs::path& parent : parents) {
      if (error || found.size() >= kListPage) break;
      if (parent.filename().string() < after.substr(0, 2)) continue;
      for (fs::directory_iterator entry(parent, error), end;
           !error && entry != end; entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (IsDigest(name) && name > after) found.push_back(name);
      }
      // Something else beside them, which holds no blobs.
      if (error == std::errc::not_a_directory) error.clear();
    }
    if (error)
      return Unavailable("the blobs in ", directory_.string(),
                         " cannot be listed: ", error.message());
    std::ranges::sort(found);
    if (found.size() > kListPage) found.resize(kListPage);
    return found;
  }

 private:
  fs::path PathOf(const std::string& digest) const {
    return directory_ / digest.substr(0, 2) / digest;
  }

  const fs::path directory_;
};

// Runs LocalFiles on a thread of its own.
class LocalBlobs final : public BlobStore {
 public:
  explicit LocalBlobs(const fs::path& directory)
      : files_(directory), pool_(1) {}
  ~LocalBlobs() override { pool_.join(); }

  Async<std::string> Put(std::string content) override {
    return RunOn<std::string>(&pool_, [this, content = std::move(content)] {
      return files_.Put(content);
    });
  }
  Async<std::string> Get(std::string digest) override {
    return RunOn<std::string>(&pool_, [this, digest = std::move(digest)] {
      return files_.Get(digest);
    });
  }
  Async<bool> Has(std::string digest) override {
    return RunOn<bool>(&pool_, [this, digest = std::move(digest)] {
      return Expected<bool>(files_.Has(digest));
    });
  }
  Async<std::vector<std::string>> List(std::string after) override {
    return RunOn<std::vector<std::string>>(
        &pool_,
        [this, after = std::move(after)] { return files_.List(after); });
  }

 private:
  const LocalFiles files_;
  asio::thread_pool pool_;
};

}  // namespace

Expected<std::unique_ptr<BlobStore>> OpenLocalBlobs(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error)
    return Unavailable("the blob directory ", directory.string(),
                       " cannot be made: ", error.message());
  return std::make_unique<LocalBlobs>(directory);
}

}  // namespace assay::storage
