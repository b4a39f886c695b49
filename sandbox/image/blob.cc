#include "sandbox/image/blob.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace assay::sandbox {
namespace {

constexpr std::size_t kBuffer = 256 << 10;

std::string Hex(std::string_view bytes) {
  std::string hex(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(),
                 reinterpret_cast<const unsigned char*>(bytes.data()),
                 bytes.size());
  hex.pop_back();
  return hex;
}

}  // namespace

BlobReader::BlobReader(UniqueFd fd, Descriptor descriptor)
    : fd_(std::move(fd)), descriptor_(std::move(descriptor)), buffer_(kBuffer) {
  crypto_hash_sha256_init(&hash_);
}

Expected<BlobReader> BlobReader::Open(const std::string& layout,
                                      const Descriptor& descriptor) {
  const std::string path =
      layout + "/blobs/sha256/" + descriptor.digest.substr(7);
  UniqueFd fd(
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd && errno == ENOENT) {
    return NotFound("the layout lacks the blob ", descriptor.digest);
  }
  struct stat info;
  if (!fd || ::fstat(fd.get(), &info) != 0) {
    return SystemError("open the blob " + descriptor.digest, errno);
  }
  if (!S_ISREG(info.st_mode) || info.st_size != descriptor.bytes) {
    return DataLoss("the blob ", descriptor.digest, " has ", info.st_size,
                    " bytes, expected ", descriptor.bytes);
  }
  return BlobReader(std::move(fd), descriptor);
}

Expected<std::string_view> BlobReader::Read() {
  const ssize_t n = ::read(fd_.get(), buffer_.data(), buffer_.size());
  if (n < 0) return SystemError("read the blob " + descriptor_.digest, errno);
  const auto size = static_cast<std::size_t>(n);
  crypto_hash_sha256_update(
      &hash_, reinterpret_cast<const unsigned char*>(buffer_.data()), size);
  return std::string_view(buffer_.data(), size);
}

Status BlobReader::Verify() {
  while (true) {
    ASSAY_ASSIGN_OR_RETURN(const auto bytes, Read());
    if (bytes.empty()) break;
  }
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest;
  crypto_hash_sha256_final(&hash_, digest.data());
  const std::string found =
      "sha256:" +
      Hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
  if (found != descriptor_.digest) {
    return DataLoss("the blob ", descriptor_.digest, " holds ", found,
                    "; the layout is damaged or was changed");
  }
  return {};
}

Expected<std::string> ReadBlob(const std::string& layout,
                               const Descriptor& descriptor) {
  if (descriptor.bytes > kMostJsonBytes) {
    return Fail(Code::kResourceExhausted, "the blob ", descriptor.digest,
                " has ", descriptor.bytes, " bytes, expected at most ",
                kMostJsonBytes);
  }
  ASSAY_ASSIGN_OR_RETURN(BlobReader reader,
                         BlobReader::Open(layout, descriptor));
  std::string all;
  while (true) {
    ASSAY_ASSIGN_OR_RETURN(const auto bytes, reader.Read());
    if (bytes.empty()) break;
    all += bytes;
  }
  ASSAY_RETURN_IF_ERROR(reader.Verify());
  return all;
}

}  // namespace assay::sandbox
