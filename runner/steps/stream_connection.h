#ifndef ASSAY_RUNNER_STEPS_STREAM_CONNECTION_H_
#define ASSAY_RUNNER_STEPS_STREAM_CONNECTION_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "runner/steps/http_client.h"

namespace assay::steps {

// What came next on a connection.
struct Received {
  enum class Kind {
    kMessage,
    // With `code`: the peer ended it, as it should.
    kClosed,
    // With a sentence in `text`: it broke, or it is not what it should be.
    kBroken,
    kTimedOut,
  };
  Kind kind = Kind::kBroken;
  std::string text;
  // Of a server-sent event.
  std::string event;
  int code = 0;
};

// A WebSocket, or a stream of server-sent events, on a socket that was
// connected inside a cell. Whatever the peer sends, memory is bounded by
// `body_limit`, and time by the deadline.
//
// Ownership: owns the socket.
// Threads: confined to the run's thread; one operation at a time.
class StreamConnection {
 public:
  virtual ~StreamConnection() = default;
  // The next message.
  virtual boost::asio::awaitable<Received> Next() = 0;
  // Empty: sent. Else a sentence.
  virtual boost::asio::awaitable<std::string> Send(std::string text) = 0;
};

struct Opened {
  // Null when it was refused.
  std::unique_ptr<StreamConnection> connection;
  // Why, as a sentence.
  std::string problem;
  bool timed_out = false;
};

// Opens one with the headers of `request`, from `host` ("127.0.0.1:8080").
// Everything on it ends at `deadline`.
boost::asio::awaitable<Opened> OpenWebSocket(
    boost::asio::ip::tcp::socket socket, HttpRequest request, std::string host,
    std::chrono::steady_clock::time_point deadline);
boost::asio::awaitable<Opened> OpenEvents(
    boost::asio::ip::tcp::socket socket, HttpRequest request, std::string host,
    std::chrono::steady_clock::time_point deadline);

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_STREAM_CONNECTION_H_
