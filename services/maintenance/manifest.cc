#include "services/maintenance/manifest.h"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <string_view>

#include "proto/base/digest.h"
#include "services/repositories/durable_files.h"

namespace assay::maintenance {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFirstLine = "assay backup 1";

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

Status WriteAll(int fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("write " + path.string(), errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

Expected<Manifest> Manifest::Read(const fs::path& backup) {
  std::ifstream file(backup / kFileName);
  std::string line;
  if (!file || !std::getline(file, line))
    return NotFound("there is no whole backup in ", backup.string(),
                    ": expected a file \"", kFileName, "\"");
  if (line != kFirstLine)
    return DataLoss("the backup's format is \"", line, "\", expected \"",
                    kFirstLine, "\"");
  Manifest manifest;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    Entry entry;
    std::string path;
    words >> entry.digest >> entry.bytes;
    words.get();
    std::getline(words, path);
    const fs::path relative(path);
    if (words.fail() || path.empty() || relative.is_absolute() ||
        path.find("..") != std::string::npos)
      return DataLoss("the backup's list of files is damaged at \"", line,
                      "\"");
    manifest.Add(path, entry);
  }
  return manifest;
}

Status Manifest::Write(const fs::path& backup) const {
  std::string text(kFirstLine);
  for (const auto& [path, entry] : entries_)
    text +=
        "\n" + entry.digest + " " + std::to_string(entry.bytes) + " " + path;
  return repositories::WriteNewFile(backup / kFileName, text + "\n");
}

std::int64_t Manifest::bytes() const {
  std::int64_t sum = 0;
  for (const auto& [path, entry] : entries_) sum += entry.bytes;
  return sum;
}

Expected<Manifest::Entry> CopyFile(const fs::path& from, const fs::path& to) {
  const Descriptor in(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (in.get() < 0 && errno == ENOENT)
    return NotFound(from.string(), " is gone");
  if (in.get() < 0) return SystemError("open " + from.string(), errno);
  std::error_code error;
  fs::create_directories(to.parent_path(), error);
  const Descriptor out(
      ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (out.get() < 0) return SystemError("create " + to.string(), errno);
  Manifest::Entry entry;
  crypto_hash_sha256_state hash;
  crypto_hash_sha256_init(&hash);
  std::array<char, 64 << 10> buffer;
  for (;;) {
    const ssize_t count = ::read(in.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("read " + from.string(), errno);
    if (count == 0) break;
    const std::string_view bytes(buffer.data(),
                                 static_cast<std::size_t>(count));
    ASSAY_RETURN_IF_ERROR(WriteAll(out.get(), bytes, to));
    crypto_hash_sha256_update(
        &hash, reinterpret_cast<const unsigned char*>(bytes.data()),
        bytes.size());
    entry.bytes += count;
  }
  if (::fsync(out.get()) != 0)
    return SystemError("fsync " + to.string(), errno);
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest;
  crypto_hash_sha256_final(&hash, digest.data());
  entry.digest = ToHex(std::string_view(
      reinterpret_cast<const char*>(digest.data()), digest.size()));
  return entry;
}

}  // namespace assay::maintenance
