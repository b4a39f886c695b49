#include "runner/steps/stream_connection.h"

#include <sys/random.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <random>
#include <utility>

#include "runner/steps/event_stream.h"

namespace assay::steps {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;
using Deadline = std::chrono::steady_clock::time_point;
using Kind = Received::Kind;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t kHeaderBytes = 64 << 10;
constexpr std::size_t kChunk = 16 << 10;

// Closes the socket at the deadline, so that whatever waits for it ends.
class Alarm {
 public:
  Alarm(tcp::socket& socket, Deadline deadline)
      : timer_(socket.get_executor(), deadline),
        rang_(std::make_shared<bool>(false)) {
    timer_.async_wait([&socket, rang = rang_](error_code cancelled) {
      if (cancelled || *rang) return;
      *rang = true;
      error_code ignored;
      socket.close(ignored);
    });
  }
  // Its handler may be queued already, and must not touch the socket then.
  ~Alarm() { *rang_ = true; }
  bool rang() const { return *rang_; }

 private:
  asio::steady_timer timer_;
  std::shared_ptr<bool> rang_;
};

template <class Request>
void SetHeaders(const HttpRequest& from, const std::string& host,
                Request& request) {
  request.set(http::field::host, host);
  request.set(http::field::user_agent, "assay");
  for (const auto& [name, value] : from.headers) request.insert(name, value);
}

// Beast seeds the masks of frames from /dev/random, which a confined process
// cannot open.
void SeedMasks() {
  static const bool kSeeded = [] {
    std::array<std::uint32_t, 8> words{};
    (void)getrandom(words.data(), sizeof(words), 0);
    std::seed_seq sequence(words.begin(), words.end());
    websocket::seed_prng(sequence);
    return true;
  }();
  (void)kSeeded;
}

class WebSocket final : public StreamConnection {
 public:
  WebSocket(tcp::socket socket, std::int64_t limit, Deadline deadline)
      : stream_(std::move(socket)),
        alarm_(stream_.next_layer(), deadline),
        limit_(static_cast<std::size_t>(limit)) {
    // The limit is held in Next, which then still knows why it ended.
    stream_.read_message_max(0);
  }

  asio::awaitable<Opened> Open(std::unique_ptr<WebSocket> self,
                               HttpRequest request, std::string host) {
    SeedMasks();
    stream_.set_option(
        websocket::stream_base::decorator([&](websocket::request_type& made) {
          SetHeaders(request, host, made);
        }));
    websocket::response_type answer;
    const auto [error] =
        co_await stream_.async_handshake(answer, host, request.target, kTuple);
    if (!error) co_return Opened{.connection = std::move(self)};
    Opened refused{.timed_out = alarm_.rang()};
    if (error == websocket::error::upgrade_declined) {
      refused.problem = "the service answered " +
                        std::to_string(answer.result_int()) +
                        " and opened no WebSocket";
    } else {
      refused.problem = "no WebSocket: " + error.message();
    }
    co_return refused;
  }

  asio::awaitable<Received> Next() override {
    buffer_.clear();
    error_code error;
    do {
      std::tie(error, std::ignore) =
          co_await stream_.async_read_some(buffer_, kChunk, kTuple);
      if (buffer_.size() > limit_) {
        co_return Received{.text = "a message is over its limit"};
      }
    } while (!error && !stream_.is_message_done());
    if (!error) {
      co_return Received{.kind = Kind::kMessage,
                         .text = beast::buffers_to_string(buffer_.data())};
    }
    if (alarm_.rang()) co_return Received{.kind = Kind::kTimedOut};
    // A peer that does not wait for our side of the close has closed as well.
    if (error == websocket::error::closed || stream_.reason()) {
      co_return Received{.kind = Kind::kClosed, .code = stream_.reason().code};
    }
    co_return Received{.text = error.message()};
  }

  asio::awaitable<std::string> Send(std::string text) override {
    stream_.text(true);
    const auto [error, size] =
        co_await stream_.async_write(asio::buffer(text), kTuple);
    co_return error ? error.message() : "";
  }

 private:
  websocket::stream<tcp::socket> stream_;
  Alarm alarm_;
  const std::size_t limit_;
  beast::flat_buffer buffer_;
};

class Events final : public StreamConnection {
 public:
  Events(tcp::socket socket, std::int64_t limit, Deadline deadline)
      : socket_(std::move(socket)),
        alarm_(socket_, deadline),
        stream_(static_cast<std::size_t>(limit)) {
    parser_.header_limit(kHeaderBytes);
    parser_.body_limit(boost::none);
  }

  asio::awaitable<Opened> Open(std::unique_ptr<Events> self,
                               HttpRequest request, std::string host) {
    http::request<http::empty_body> made(http::verb::get, request.target, 11);
    made.set(http::field::accept, "text/event-stream");
    SetHeaders(request, host, made);
    error_code error;
    std::tie(error, std::ignore) =
        co_await http::async_write(socket_, made, kTuple);
    if (!error) {
      std::tie(error, std::ignore) =
          co_await http::async_read_header(socket_, buffer_, parser_, kTuple);
    }
    if (error) {
      co_return Opened{.problem = "no events: " + error.message(),
                       .timed_out = alarm_.rang()};
    }
    const auto& answer = parser_.get();
    const std::string type(answer[http::field::content_type]);
    if (answer.result_int() != 200 || !type.starts_with("text/event-stream")) {
      co_return Opened{.problem = "expected 200 and text/event-stream, got " +
                                  std::to_string(answer.result_int()) +
                                  " and " + (type.empty() ? "no type" : type)};
    }
    co_return Opened{.connection = std::move(self)};
  }

  asio::awaitable<Received> Next() override {
    while (true) {
      if (auto event = stream_.Take()) {
        co_return Received{.kind = Kind::kMessage,
                           .text = std::move(event->data),
                           .event = std::move(event->name)};
      }
      if (parser_.is_done()) co_return Received{.kind = Kind::kClosed};
      std::array<char, kChunk> chunk;
      parser_.get().body().data = chunk.data();
      parser_.get().body().size = chunk.size();
      const auto [error, size] =
          co_await http::async_read_some(socket_, buffer_, parser_, kTuple);
      const std::size_t got = chunk.size() - parser_.get().body().size;
      if (alarm_.rang()) co_return Received{.kind = Kind::kTimedOut};
      if (!stream_.Feed({chunk.data(), got})) {
        co_return Received{.text = "an event is over its limit"};
      }
      if (error && error != http::error::need_buffer) {
        if (error == http::error::end_of_stream) {
          co_return Received{.kind = Kind::kClosed};
        }
        co_return Received{.text = error.message()};
      }
    }
  }

  asio::awaitable<std::string> Send(std::string) override {
    co_return "nothing can be sent on a stream of events";
  }

 private:
  tcp::socket socket_;
  Alarm alarm_;
  beast::flat_buffer buffer_{kHeaderBytes + kChunk};
  http::response_parser<http::buffer_body> parser_;
  EventStream stream_;
};

}  // namespace

asio::awaitable<Opened> OpenWebSocket(tcp::socket socket, HttpRequest request,
                                      std::string host, Deadline deadline) {
  auto made = std::make_unique<WebSocket>(std::move(socket), request.body_limit,
                                          deadline);
  WebSocket& opening = *made;
  co_return co_await opening.Open(std::move(made), std::move(request),
                                  std::move(host));
}

asio::awaitable<Opened> OpenEvents(tcp::socket socket, HttpRequest request,
                                   std::string host, Deadline deadline) {
  auto made =
      std::make_unique<Events>(std::move(socket), request.body_limit, deadline);
  Events& opening = *made;
  co_return co_await opening.Open(std::move(made), std::move(request),
                                  std::move(host));
}

}  // namespace assay::steps
