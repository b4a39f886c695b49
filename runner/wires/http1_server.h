#ifndef ASSAY_RUNNER_WIRES_HTTP1_SERVER_H_
#define ASSAY_RUNNER_WIRES_HTTP1_SERVER_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <functional>
#include <string>

#include "runner/wires/http1_reader.h"

namespace assay::wires {

struct ServedRequest {
  Http1Head head;
  // As far as the limit.
  std::string body;
  bool body_too_large = false;
};

struct ServedReply {
  int status = 200;
  HttpHeaders headers;
  std::string body;
  // Before it is sent.
  std::chrono::microseconds delay{0};
};

// Answers the requests of one connection, one after the other, until the peer
// ends it or does not speak HTTP/1.1. Keeps up to `body_limit` bytes of a
// request's body and drops the rest.
boost::asio::awaitable<void> ServeHttp1(
    boost::asio::ip::tcp::socket socket, std::size_t body_limit,
    std::function<ServedReply(const ServedRequest&)> answer);

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_HTTP1_SERVER_H_
