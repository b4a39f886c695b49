#include <algorithm>
#include <deque>
#include <memory>
#include <utility>

#include "runner/wires/http1_reader.h"
#include "runner/wires/http_session.h"
#include "runner/wires/websocket_reader.h"

namespace assay::wires {
namespace {

using Body = Http1Reader::Body;
using Result = Http1Reader::Result;

// Requests that wait for their answers.
constexpr std::size_t kPipelined = 1024;

bool HasToken(std::string_view list, std::string_view token) {
  std::string lower(list);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower.find(token) != std::string::npos;
}

class Http1Session final : public HttpProtocol {
 public:
  explicit Http1Session(HttpEvents& events) : events_(events) {}

  std::string_view OnClient(std::string_view bytes, Moment now) override;
  void OnServer(std::string_view bytes, Moment now) override;
  void OnClose(Moment now) override;

 private:
  using ExchangePtr = std::shared_ptr<HttpExchange>;

  // A request's head: what is to be added to it.
  std::string Request(Moment now);
  void Response(Moment now);
  void Finish(Moment now);
  void Frames(WebSocketReader& reader, std::string_view bytes, bool from_client,
              Moment now);
  void FallBack(const std::string& reason, Moment now);

  HttpEvents& events_;
  Http1Reader request_;
  Http1Reader response_;
  // In the order of their requests; the front is being answered.
  std::deque<ExchangePtr> pending_;
  // Whose body the client is sending.
  ExchangePtr sending_;
  bool interim_ = false;
  bool raw_ = false;
  // The connection is a WebSocket now.
  ExchangePtr socket_;
  WebSocketReader client_frames_;
  WebSocketReader server_frames_;
  // The client's last byte was a CR that may begin the end of a head, in front
  // of which something may have to be added.
  bool held_cr_ = false;
  std::string joined_;
  std::string out_;
};

std::string_view Http1Session::OnClient(std::string_view bytes, Moment now) {
  std::string_view all = bytes;
  if (std::exchange(held_cr_, false)) {
    joined_.assign(1, '\r');
    joined_ += bytes;
    all = joined_;
  }
  if (socket_ != nullptr) Frames(client_frames_, bytes, true, now);
  if (raw_ || socket_ != nullptr) return all;
  out_.clear();
  std::size_t copied = 0;
  std::string_view piece;
  while (!raw_) {
    const Result result = request_.Next(bytes, piece);
    if (result == Result::kNeedMore) break;
    if (result == Result::kNotTheProtocol) {
      FallBack("of the client: " + request_.reason(), now);
    } else if (result == Result::kHead) {
      const std::string added = Request(now);
      if (added.empty()) continue;
      const std::size_t at =
          all.size() - bytes.size() - request_.head().empty_line;
      out_ += all.substr(copied, at - copied);
      out_ += added;
      copied = at;
    } else if (result == Result::kBody && sending_ != nullptr) {
      sending_->request_body.Add(piece);
    } else if (result == Result::kEnd) {
      sending_.reset();
    }
  }
  if (!raw_ && request_.after_lone_cr()) {
    held_cr_ = true;
    all.remove_suffix(1);
  }
  if (out_.empty()) return all;
  out_ += all.substr(copied);
  return out_;
}

std::string Http1Session::Request(Moment now) {
  const Http1Head& head = request_.head();
  const Http1Framing framing = FramingOf(head.headers);
  if (head.status() != 0 && head.first.starts_with("HTTP/")) {
    FallBack("the client sends an answer", now);
    return "";
  }
  if (!framing.problem.empty()) {
    FallBack("a request has " + framing.problem, now);
    return "";
  }
  if (pending_.size() >= kPipelined) {
    FallBack("too many requests wait for answers", now);
    return "";
  }
  request_.SetBody(framing.body, framing.length);
  auto exchange = std::make_shared<HttpExchange>();
  exchange->method = head.first;
  exchange->target = head.second;
  exchange->request_headers = head.headers;
  exchange->traceparent = FindHeader(head.headers, "traceparent");
  exchange->begin = now;
  events_.OnRequest(*exchange);
  pending_.push_back(exchange);
  sending_ = exchange;
  if (!exchange->traceparent.empty()) return "";
  return "traceparent: " + telemetry::FormatTraceparent(exchange->span) +
         "\r\n";
}

void Http1Session::OnServer(std::string_view bytes, Moment now) {
  if (socket_ != nullptr) return Frames(server_frames_, bytes, false, now);
  std::string_view piece;
  while (!raw_ && socket_ == nullptr) {
    if (pending_.empty()) {
      if (bytes.empty()) return;
      return FallBack("the server sent what nothing had asked for", now);
    }
    switch (response_.Next(bytes, piece)) {
      case Result::kNeedMore:
        return;
      case Result::kNotTheProtocol:
        return FallBack("of the server: " + response_.reason(), now);
      case Result::kHead:
        Response(now);
        break;
      case Result::kBody:
        pending_.front()->response_body.Add(piece);
        break;
      case Result::kEnd:
        if (!std::exchange(interim_, false)) Finish(now);
    }
  }
  if (socket_ != nullptr) Frames(server_frames_, bytes, false, now);
}

void Http1Session::Response(Moment now) {
  HttpExchange& exchange = *pending_.front();
  const int status = response_.head().status();
  if (status >= 100 && status < 200 && status != 101) {
    interim_ = true;
    return response_.SetBody(Body::kNone);
  }
  exchange.status = status;
  exchange.first_byte_nanos = now.nanos;
  exchange.response_headers = response_.head().headers;
  if (status == 101 || (exchange.method == "CONNECT" && status < 300)) {
    exchange.upgraded =
        status == 101
            ? std::string(FindHeader(exchange.response_headers, "upgrade"))
            : "tunnel";
    response_.SetBody(Body::kNone);
    if (HasToken(exchange.upgraded, "websocket")) {
      exchange.upgraded = "websocket";
      socket_ = pending_.front();
      pending_.pop_front();
      return;
    }
    const std::string reason = "it goes on as " + exchange.upgraded;
    Finish(now);
    return FallBack(reason, now);
  }
  const Http1Framing framing = FramingOf(exchange.response_headers);
  if (exchange.method == "HEAD" || status == 204 || status == 304) {
    response_.SetBody(Body::kNone);
  } else if (!framing.problem.empty()) {
    FallBack("an answer has " + framing.problem, now);
  } else if (framing.unsaid) {
    response_.SetBody(Body::kUntilClose);
  } else {
    response_.SetBody(framing.body, framing.length);
  }
}

void Http1Session::Finish(Moment now) {
  const ExchangePtr exchange = pending_.front();
  pending_.pop_front();
  exchange->end_nanos = now.nanos;
  events_.OnExchange(*exchange);
}

void Http1Session::Frames(WebSocketReader& reader, std::string_view bytes,
                          bool from_client, Moment now) {
  WebSocketReader::Frame frame;
  while (reader.Next(bytes, frame)) {
    ++socket_->frames_seen;
    if (socket_->frames.size() < HttpExchange::kFrames) {
      socket_->frames.push_back(
          {now.nanos, from_client, frame.opcode, frame.bytes});
    }
  }
}

void Http1Session::FallBack(const std::string& reason, Moment now) {
  raw_ = true;
  while (!pending_.empty()) {
    pending_.front()->problem = "the answer was not seen: " + reason;
    Finish(now);
  }
  sending_.reset();
  events_.OnFellBack(reason);
}

void Http1Session::OnClose(Moment now) {
  if (socket_ != nullptr) {
    socket_->end_nanos = now.nanos;
    events_.OnExchange(*socket_);
    socket_.reset();
  }
  const bool whole = response_.Close();
  bool first = true;
  while (!pending_.empty()) {
    HttpExchange& exchange = *pending_.front();
    if (exchange.status == 0 || !first || !whole) {
      exchange.problem = "the connection ended before the answer did";
    }
    first = false;
    Finish(now);
  }
  raw_ = true;
}

}  // namespace

std::unique_ptr<HttpProtocol> MakeHttp1Session(HttpEvents& events) {
  return std::make_unique<Http1Session>(events);
}

}  // namespace assay::wires
