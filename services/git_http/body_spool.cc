#include "services/git_http/body_spool.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "proto/base/utf8.h"

namespace assay::git_http {
namespace {

constexpr std::size_t kPiece = 64 << 10;
// What is read away of a body that is refused, in limits and at the least.
constexpr std::int64_t kMaxDiscardFactor = 4;
constexpr std::int64_t kMinDiscard = 64 << 20;

}  // namespace

SpooledBody::~SpooledBody() { ::close(fd_); }

// Puts pieces of a body into its file, through zlib if need be.
class SpoolWriter {
 public:
  SpoolWriter(SpooledBody& body, std::int64_t limit)
      : body_(body), limit_(limit) {}
  ~SpoolWriter() {
    if (gzip_) ::inflateEnd(&zlib_);
  }
  SpoolWriter(const SpoolWriter&) = delete;
  SpoolWriter& operator=(const SpoolWriter&) = delete;

  Status ExpectGzip() {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    if (::inflateInit2(&zlib_, kGzipOnly) != Z_OK)
      return Internal("zlib does not start");
    gzip_ = true;
    return {};
  }

  Status Feed(std::string_view bytes) {
    if (Refused()) return {};
    return gzip_ ? Inflate(bytes) : Append(bytes);
  }

  Status End() const {
    if (gzip_ && !ended_ && !Refused())
      return InvalidArgument("the gzip body is cut off");
    return {};
  }

 private:
  bool Refused() const { return body_.too_large_ || body_.disk_full_; }

  Status Inflate(std::string_view bytes) {
    zlib_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    zlib_.avail_in = static_cast<uInt>(bytes.size());
    std::vector<char> out(kPiece);
    while (zlib_.avail_in > 0 && !Refused()) {
      if (ended_) return InvalidArgument("bytes follow the gzip body");
      zlib_.next_out = reinterpret_cast<Bytef*>(out.data());
      zlib_.avail_out = static_cast<uInt>(out.size());
      const int result = ::inflate(&zlib_, Z_NO_FLUSH);
      if (result != Z_OK && result != Z_STREAM_END)
        return InvalidArgument("the body is no gzip");
      ended_ = result == Z_STREAM_END;
      ASSAY_RETURN_IF_ERROR(Append({out.data(), out.size() - zlib_.avail_out}));
    }
    return {};
  }

  Status Append(std::string_view bytes) {
    if (static_cast<std::int64_t>(bytes.size()) > limit_ - body_.bytes_) {
      body_.too_large_ = true;
      bytes = bytes.substr(0, static_cast<std::size_t>(limit_ - body_.bytes_));
    }
    body_.head_.append(bytes.substr(0, kSpoolHead - body_.head_.size()));
    while (!bytes.empty()) {
      const ssize_t count = ::write(body_.fd_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)) {
        body_.disk_full_ = true;
        return {};
      }
      if (count < 0) return SystemError("write the spooled body", errno);
      body_.bytes_ += count;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
  }

  SpooledBody& body_;
  const std::int64_t limit_;
  z_stream zlib_ = {};
  bool gzip_ = false;
  bool ended_ = false;
};

gateway::Async<std::unique_ptr<SpooledBody>> SpoolBody(
    gateway::HttpExchange& exchange, std::filesystem::path directory,
    std::int64_t limit) {
  const int fd =
      ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0)
    co_return Unavailable("no file for the body can be made: ",
                          std::strerror(errno));
  auto body = std::make_unique<SpooledBody>(fd);
  SpoolWriter writer(*body, limit);
  const std::string_view encoding =
      exchange.request().Field("content-encoding");
  if (encoding == "gzip" || encoding == "x-gzip") {
    ASSAY_CO_RETURN_IF_ERROR(writer.ExpectGzip());
  } else if (!encoding.empty() && encoding != "identity") {
    co_return InvalidArgument(
        "expected a body as it is or in gzip, found the "
        "encoding \"",
        PresentableLine(encoding, 40), "\"");
  }
  std::vector<char> buffer(kPiece);
  const std::int64_t most = std::max(limit * kMaxDiscardFactor, kMinDiscard);
  for (std::int64_t total = 0; total <= most;) {
    const auto count = co_await exchange.ReadSome(buffer);
    if (!count) co_return std::unexpected(count.error());
    if (*count == 0) {
      ASSAY_CO_RETURN_IF_ERROR(writer.End());
      co_return body;
    }
    total += static_cast<std::int64_t>(*count);
    ASSAY_CO_RETURN_IF_ERROR(writer.Feed({buffer.data(), *count}));
  }
  co_return ResourceExhausted("the body has more than ", most, " bytes");
}

}  // namespace assay::git_http
