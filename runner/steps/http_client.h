#ifndef ASSAY_RUNNER_STEPS_HTTP_CLIENT_H_
#define ASSAY_RUNNER_STEPS_HTTP_CLIENT_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runner/assertions/evaluator.h"
#include "runner/wires/network.h"

namespace assay::steps {

// Cookies that the requests of one check share.
class CookieJar {
 public:
  CookieJar();
  ~CookieJar();
  CookieJar(const CookieJar&) = delete;
  // The value of a cookie that is in the jar now.
  std::optional<std::string> Find(std::string_view name) const;

 private:
  friend class HttpClient;
  void* share_;
};

struct HttpRequest {
  struct Credentials {
    std::string user;
    std::string password;
    bool digest = false;
  };
  struct Part {
    std::string name;
    std::string value;
    // Of an uploaded file; empty: a plain field.
    std::string filename = {};
  };

  std::string method = "GET";
  // Path and query, as they go on the wire.
  std::string target = "/";
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<std::string> body;
  // Sent as multipart/form-data instead of `body`.
  std::vector<Part> parts;
  std::optional<Credentials> credentials;
  // Null: none are kept.
  CookieJar* cookies = nullptr;
  bool http2 = false;
  std::chrono::milliseconds timeout{5000};
  // Bytes of the decompressed body after which the transfer is given up.
  std::int64_t body_limit = 1 << 20;
  // A connection made before (PrepareConnections); else one is reused or made.
  bool prepared_connection = false;
};

// What came of a request.
struct HttpResult {
  enum class Kind {
    kAnswered,
    // Nothing listens at the port.
    kRefused,
    // The connection ended before the answer did.
    kClosed,
    kTimedOut,
    // Headers or body are over their limits.
    kTooLarge,
    // Not HTTP, or not decodable.
    kMalformed,
    // Ours: the request could not be made.
    kImpossible,
  };
  Kind kind = Kind::kImpossible;
  // As far as it has come, unless `kind` is kAnswered.
  assertions::HttpAnswer answer;
  // A sentence for every kind but kAnswered.
  std::string problem;
  // "GET /orders": the request that this is the answer to.
  std::string request;
  // Where curl would go next; empty if nowhere.
  std::string redirect;
  std::chrono::microseconds connect{0};
  std::chrono::microseconds first_byte{0};
  std::int64_t request_bytes = 0;
  // The jar held some when the request was made.
  bool sent_cookies = false;
};

// Speaks HTTP to one port of one cell, over sockets made inside the cell,
// whatever addresses the answers name. libcurl does the talking; its
// connections are kept between requests and belong to this client alone, since
// curl tells connections apart by host and port, and all cells have the same.
//
// Ownership: borrows the network. Outlives its requests.
// Threads: confined to the run's thread.
class HttpClient {
 public:
  // Of all header lines of an answer, interim ones included.
  static constexpr std::int64_t kHeaderBytes = 256 << 10;

  HttpClient(boost::asio::any_io_executor executor, wires::Network& network,
             std::uint16_t port);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;

  // Redirects are not followed: that is the caller's decision.
  boost::asio::awaitable<HttpResult> Perform(HttpRequest request);

  // Opens `count` connections for requests with `prepared_connection`, for at
  // most `limit`; yields how many stand. Unused ones are closed by the next
  // call or DropConnections.
  boost::asio::awaitable<int> PrepareConnections(
      int count, std::chrono::milliseconds limit);
  // Forgets idle connections: the service behind them is gone.
  void DropConnections();

  // "http://127.0.0.1:8080", without a path.
  const std::string& origin() const { return origin_; }
  // Where it connects to.
  wires::Network& network() const { return network_; }
  std::uint16_t port() const { return port_; }

 private:
  class Multi;
  wires::Network& network_;
  const std::uint16_t port_;
  std::shared_ptr<Multi> multi_;
  std::string origin_;
};

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_HTTP_CLIENT_H_
