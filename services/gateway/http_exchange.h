#ifndef ASSAY_SERVICES_GATEWAY_HTTP_EXCHANGE_H_
#define ASSAY_SERVICES_GATEWAY_HTTP_EXCHANGE_H_

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/base/error.h"

namespace assay::gateway {

template <class T>
using Async = boost::asio::awaitable<Expected<T>>;

using HeaderFields = std::vector<std::pair<std::string, std::string>>;

// What was asked, without the body. The target is split at the first `?` and
// is not percent-decoded: routes are exact.
struct HttpRequest {
  std::string method;
  std::string path;
  std::string query;
  HeaderFields fields;
  std::string peer;
  // Absent when the body is chunked or there is none.
  std::optional<std::uint64_t> content_length;

  // The first field of that name, in any case; empty when there is none.
  std::string_view Field(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  HeaderFields fields;
  std::string body;
};

// One request and its answer, without saying how HTTP is spoken.
//
// Threads: confined to the coordinator's strand.
// Errors: kCancelled once the client has gone; kDeadlineExceeded when it is
// too slow; kInvalidArgument for broken framing.
class HttpExchange {
 public:
  virtual ~HttpExchange() = default;
  virtual const HttpRequest& request() const = 0;

  // Reads at most `buffer.size()` bytes of the body; 0 is its end.
  virtual Async<std::size_t> ReadSome(std::span<char> buffer) = 0;

  // Answers at once. Exactly one of Respond and StartResponse, once.
  virtual Async<void> Respond(HttpResponse response) = 0;
  // Sends the head; the body follows by Write and ends with Finish. HTTP/1.0
  // clients get it unchunked, ended by closing.
  virtual Async<void> StartResponse(int status, HeaderFields fields) = 0;
  virtual Async<void> Write(std::string bytes) = 0;
  virtual Async<void> Finish() = 0;

  // Suspends until the client has closed its connection: what a handler waits
  // for that has nothing to send. Fails with kCancelled, then.
  virtual Async<void> WaitForClose() = 0;
};

using HttpHandler =
    std::function<boost::asio::awaitable<void>(HttpExchange& exchange)>;

}  // namespace assay::gateway

#endif  // ASSAY_SERVICES_GATEWAY_HTTP_EXCHANGE_H_
