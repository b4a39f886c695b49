#ifndef ASSAY_SERVICES_GIT_HTTP_BODY_SPOOL_H_
#define ASSAY_SERVICES_GIT_HTTP_BODY_SPOOL_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "services/gateway/http_exchange.h"

namespace assay::git_http {

// A request's body in a file without a name, which is gone when this is.
class SpooledBody {
 public:
  explicit SpooledBody(int fd) : fd_(fd) {}
  ~SpooledBody();
  SpooledBody(const SpooledBody&) = delete;
  SpooledBody& operator=(const SpooledBody&) = delete;

  int fd() const { return fd_; }
  std::int64_t bytes() const { return bytes_; }
  // The body went over the limit; the file holds its beginning.
  bool too_large() const { return too_large_; }
  // The disk was full; the file holds less than the body.
  bool disk_full() const { return disk_full_; }
  // Its beginning, whatever became of the file.
  const std::string& head() const { return head_; }

 private:
  friend class SpoolWriter;
  const int fd_;
  std::int64_t bytes_ = 0;
  bool too_large_ = false;
  bool disk_full_ = false;
  std::string head_;
};

// How much of a body's beginning is kept in memory.
inline constexpr std::size_t kSpoolHead = 64 << 10;

// Reads a body to its end, unpacking `Content-Encoding: gzip`. A body that
// unpacks to more than `limit` bytes, or that the disk has no room for, is
// still read (to several times the limit), so that the client is there to hear
// why it is refused.
//
// Errors: the exchange's; kInvalidArgument for broken gzip or another
// encoding; kResourceExhausted for a body that does not end; kUnavailable when
// no file can be made.
gateway::Async<std::unique_ptr<SpooledBody>> SpoolBody(
    gateway::HttpExchange& exchange, std::filesystem::path directory,
    std::int64_t limit);

}  // namespace assay::git_http

#endif  // ASSAY_SERVICES_GIT_HTTP_BODY_SPOOL_H_
