#ifndef ASSAY_SERVICES_GATEWAY_BEAST_EXCHANGE_H_
#define ASSAY_SERVICES_GATEWAY_BEAST_EXCHANGE_H_

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <chrono>
#include <string>

#include "services/gateway/http_exchange.h"
#include "services/gateway/http_server.h"
#include "services/gateway/web_stream.h"

namespace assay::gateway {

using RequestParser =
    boost::beast::http::request_parser<boost::beast::http::buffer_body>;

// The head of a parsed request. Errors: kInvalidArgument for what Beast takes
// and another parser on the way may read differently.
Expected<HttpRequest> HeadOf(const RequestParser& parser, std::string peer);

// One request of a connection and its answer, spoken as HTTP/1.1.
class BeastExchange final : public HttpExchange {
 public:
  BeastExchange(WebStream& stream, boost::beast::flat_buffer& buffer,
                RequestParser& parser, HttpRequest request,
                const HttpOptions& options, bool keep_alive);

  const HttpRequest& request() const override { return request_; }
  Async<std::size_t> ReadSome(std::span<char> buffer) override;
  Async<void> Respond(HttpResponse response) override;
  Async<void> StartResponse(int status, HeaderFields fields) override;
  Async<void> Write(std::string bytes) override;
  Async<void> Finish() override;
  Async<void> WaitForClose() override;

  bool answered() const { return state_ != State::kWaiting; }
  // The answer is whole and the client may send its next request.
  bool reusable() const {
    return state_ == State::kFinished && keep_alive_ && parser_.is_done();
  }
  bool body_unread() const { return !parser_.is_done(); }

 private:
  enum class State { kWaiting, kStarted, kFinished, kBroken };

  Async<void> Send(std::string bytes);
  std::string Head(int status, const HeaderFields& fields) const;

  WebStream& stream_;
  boost::beast::flat_buffer& buffer_;
  RequestParser& parser_;
  const HttpRequest request_;
  const HttpOptions& options_;
  const std::chrono::steady_clock::time_point body_deadline_;
  bool keep_alive_;
  bool chunked_ = false;
  State state_ = State::kWaiting;
};

}  // namespace assay::gateway

#endif  // ASSAY_SERVICES_GATEWAY_BEAST_EXCHANGE_H_
