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
  // Up to `count` bytes of the beginning.
  Expected<std::string> Head(std::size_t count) const;

 private:
  friend class SpoolWriter;
  const int fd_;
  std::int64_t bytes_ = 0;
  bool too_large_ = false;
};

// Reads a body to its end, unpacking `Content-Encoding: gzip`. A body that
// unpacks to more than `limit` bytes is still read (to several times the
// limit), so that the client is there to hear why it is refused.
//
// Errors: the exchange's; kInvalidArgument for broken gzip or another
// encoding; kResourceExhausted for a disk that is full or a body that does not
// end.
gateway::Async<std::unique_ptr<SpooledBody>> SpoolBody(
    gateway::HttpExchange& exchange, std::filesystem::path directory,
    std::int64_t limit);

}  // namespace assay::git_http

#endif  // ASSAY_SERVICES_GIT_HTTP_BODY_SPOOL_H_
