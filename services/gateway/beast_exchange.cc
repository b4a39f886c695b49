#include "services/gateway/beast_exchange.h"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/status.hpp>
#include <cstdio>
#include <utility>

namespace assay::gateway {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

std::unexpected<Error> ReadError(const beast::error_code& error) {
  if (error == beast::error::timeout)
    return Fail(Code::kDeadlineExceeded, "the body came too slowly");
  if (error == http::error::end_of_stream ||
      error == http::error::partial_message || error == asio::error::eof ||
      error == asio::error::connection_reset)
    return Fail(Code::kCancelled, "the client closed the connection");
  if (error.category() ==
      http::make_error_code(http::error::bad_chunk).category())
    return InvalidArgument("the body is malformed: ", error.message());
  return Fail(Code::kCancelled, "reading from the client: ", error.message());
}

std::size_t Count(const http::fields& fields, http::field name) {
  return fields.count(name);
}

}  // namespace

Expected<HttpRequest> HeadOf(const RequestParser& parser, std::string peer) {
  const auto& message = parser.get();
  const bool chunked = Count(message, http::field::transfer_encoding) > 0;
  const bool sized = Count(message, http::field::content_length) > 0;
  if (chunked && (sized || message.version() < 11))
    return InvalidArgument("the request's length is ambiguous");
  if (chunked &&
      !(Count(message, http::field::transfer_encoding) == 1 &&
        beast::iequals(message[http::field::transfer_encoding], "chunked")))
    return InvalidArgument("the only transfer encoding here is chunked");
  if (Count(message, http::field::content_length) > 1)
    return InvalidArgument("the request has more than one length");
  if (Count(message, http::field::host) != 1 && message.version() >= 11)
    return InvalidArgument("expected exactly one Host field");
  HttpRequest request{.method = std::string(message.method_string()),
                      .peer = std::move(peer)};
  const std::string_view target(message.target().data(),
                                message.target().size());
  if (!target.starts_with('/'))
    return InvalidArgument("expected a target that begins with /");
  const std::size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  if (mark != std::string_view::npos) request.query = target.substr(mark + 1);
  for (const auto& field : message)
    request.fields.emplace_back(field.name_string(), field.value());
  if (const auto length = parser.content_length(); length)
    request.content_length = *length;
  return request;
}

BeastExchange::BeastExchange(WebStream& stream, beast::flat_buffer& buffer,
                             RequestParser& parser, HttpRequest request,
                             const HttpOptions& options, bool keep_alive)
    : stream_(stream),
      buffer_(buffer),
      parser_(parser),
      request_(std::move(request)),
      options_(options),
      body_deadline_(std::chrono::steady_clock::now() + options.body_timeout),
      keep_alive_(keep_alive) {}

Async<std::size_t> BeastExchange::ReadSome(std::span<char> buffer) {
  if (parser_.is_done()) co_return std::size_t{0};
  if (beast::iequals(parser_.get()[http::field::expect], "100-continue") &&
      !answered()) {
    // Asked once: whoever reads wants the body.
    parser_.get().erase(http::field::expect);
    ASSAY_CO_RETURN_IF_ERROR(co_await Send("HTTP/1.1 100 Continue\r\n\r\n"));
  }
  auto& body = parser_.get().body();
  body.data = buffer.data();
  body.size = buffer.size();
  while (body.size == buffer.size() && !parser_.is_done()) {
    const auto left = body_deadline_ - std::chrono::steady_clock::now();
    stream_.expires_after(std::min<std::chrono::steady_clock::duration>(
        left, options_.io_timeout));
    beast::error_code error;
    co_await http::async_read_some(
        stream_, buffer_, parser_,
        asio::redirect_error(asio::use_awaitable, error));
    if (error == http::error::need_buffer) break;
    if (error) {
      keep_alive_ = false;
      co_return ReadError(error);
    }
  }
  co_return buffer.size() - body.size;
}

std::string BeastExchange::Head(int status, const HeaderFields& fields) const {
  const auto reason = http::obsolete_reason(static_cast<http::status>(status));
  std::string head = "HTTP/1.1 " + std::to_string(status) + " ";
  head.append(reason.data(), reason.size());
  head += "\r\n";
  for (const auto* list : {&options_.fields, &fields})
    for (const auto& [name, value] : *list)
      head += name + ": " + value + "\r\n";
  head += keep_alive_ ? "Connection: keep-alive\r\n" : "Connection: close\r\n";
  return head;
}

Async<void> BeastExchange::Respond(HttpResponse response) {
  // The rest of a large body is not worth reading for the connection's sake.
  if (!parser_.is_done()) keep_alive_ = false;
  std::string bytes = Head(response.status, response.fields);
  if (response.status != 304)
    bytes += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
  bytes += "\r\n";
  if (request_.method != "HEAD" && response.status != 304)
    bytes += response.body;
  ASSAY_CO_RETURN_IF_ERROR(co_await Send(std::move(bytes)));
  state_ = State::kFinished;
  co_return Status();
}

Async<void> BeastExchange::StartResponse(int status, HeaderFields fields) {
  chunked_ = parser_.get().version() >= 11;
  if (!chunked_ || !parser_.is_done()) keep_alive_ = false;
  std::string bytes = Head(status, fields);
  if (chunked_) bytes += "Transfer-Encoding: chunked\r\n";
  ASSAY_CO_RETURN_IF_ERROR(co_await Send(std::move(bytes) + "\r\n"));
  state_ = State::kStarted;
  co_return Status();
}

Async<void> BeastExchange::Write(std::string bytes) {
  if (bytes.empty()) co_return Status();
  if (chunked_) {
    char size[24];
    std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    bytes.insert(0, size);
    bytes += "\r\n";
  }
  co_return co_await Send(std::move(bytes));
}

Async<void> BeastExchange::Finish() {
  if (chunked_) {
    ASSAY_CO_RETURN_IF_ERROR(co_await Send("0\r\n\r\n"));
  }
  state_ = State::kFinished;
  co_return Status();
}

// A write that was cut off, by an error or by a cancelled coroutine, leaves
// the connection in the middle of something: nothing may follow it.
Async<void> BeastExchange::Send(std::string bytes) {
  if (state_ == State::kBroken)
    co_return Fail(Code::kCancelled, "the connection is broken");
  const State before = std::exchange(state_, State::kBroken);
  stream_.expires_after(options_.io_timeout);
  beast::error_code error;
  co_await asio::async_write(stream_, asio::buffer(bytes),
                             asio::redirect_error(asio::use_awaitable, error));
  if (error)
    co_return Fail(Code::kCancelled,
                   "writing to the client: ", error.message());
  state_ = before;
  co_return Status();
}

Async<void> BeastExchange::WaitForClose() {
  co_await stream_.WaitForClose(buffer_);
  co_return Fail(Code::kCancelled, "the client closed the connection");
}

}  // namespace assay::gateway
