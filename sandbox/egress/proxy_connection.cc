#include "sandbox/egress/proxy_connection.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace assay::sandbox {
namespace {

// After so many bytes the next connection gets its turn.
constexpr std::size_t kTurn = 1 << 20;
// An answer's reader gets so long to take it.
constexpr std::chrono::seconds kAnswerLimit{5};

std::uint64_t NanosNow() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(
          std::chrono::system_clock::now().time_since_epoch())
          .count());
}

std::string_view StatusText(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 408:
      return "Request Timeout";
    case 431:
      return "Request Header Fields Too Large";
    case 504:
      return "Gateway Timeout";
    default:
      return "Bad Gateway";
  }
}

int StatusOf(DialStatus status) {
  switch (status) {
    case DialStatus::kConnected:
      return 200;
    case DialStatus::kRefusedAddress:
      return 403;
    case DialStatus::kTimedOut:
      return 504;
    default:
      return 502;
  }
}

std::string HostPort(const EgressRecord& record) {
  return record.host + ":" + std::to_string(record.port);
}

}  // namespace

void Readiness::Add(std::uint32_t events) {
  ended = ended || (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  readable = readable || ended || (events & EPOLLIN) != 0;
  writable = writable || (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
}

ProxyConnection::ProxyConnection(UniqueFd client, Shared& shared)
    : shared_(shared),
      client_(std::move(client)),
      begin_(Clock::now()),
      since_(begin_) {
  record_.begin_nanos = NanosNow();
}

bool ProxyConnection::Advance() {
  switch (state_) {
    case State::kHead:
      return ReadHead();
    case State::kRelaying:
      return Relay();
    case State::kAnswering:
      return FinishAnswer();
    default:
      return false;
  }
}

bool ProxyConnection::ReadHead() {
  while (state_ == State::kHead && client_ready_.readable) {
    std::array<char, 4096> chunk;
    const ssize_t n = ::recv(client_.get(), chunk.data(), chunk.size(), 0);
    if (n < 0 && errno == EAGAIN) {
      client_ready_.readable = false;
      break;
    }
    if (n <= 0) {
      End();
      break;
    }
    head_.append(chunk.data(), static_cast<std::size_t>(n));
    ParsedHead parsed = ParseProxyRequest(head_);
    if (auto* bad = std::get_if<BadRequest>(&parsed)) {
      Answer(bad->status, bad->reason);
    } else if (auto* request = std::get_if<ProxyRequest>(&parsed)) {
      OnRequest(std::move(*request));
    }
  }
  return state_ == State::kAnswering && client_ready_.readable;
}

void ProxyConnection::OnRequest(ProxyRequest request) {
  request_ = std::move(request);
  record_.host = request_.host;
  record_.port = request_.port;
  const auto position =
      FindDestination(shared_.destinations, request_.host, request_.port);
  if (!position) {
    return Answer(403, HostPort(record_) +
                           " is not among the places that may be reached");
  }
  state_ = State::kDialling;
  since_ = Clock::now();
  dial_ = static_cast<std::uint32_t>(*position);
}

std::optional<std::uint32_t> ProxyConnection::TakeDial() {
  return std::exchange(dial_, std::nullopt);
}

void ProxyConnection::OnDialled(const DialReply& reply, UniqueFd connection) {
  if (state_ != State::kDialling) return;
  record_.address = reply.address;
  const int status = StatusOf(reply.status);
  if (status != 200 || !connection) {
    return Answer(status == 200 ? 502 : status,
                  HostPort(record_) + " " + reply.reason);
  }
  record_.status = status;
  server_ = std::move(connection);
  up_.pending = std::move(request_.head);
  up_.pending.append(head_, request_.size);
  record_.bytes_up = static_cast<std::int64_t>(up_.pending.size());
  if (request_.tunnel) {
    down_.pending = "HTTP/1.1 200 Connection established\r\n\r\n";
  }
  head_.clear();
  state_ = State::kRelaying;
  since_ = Clock::now();
}

void ProxyConnection::Answer(int status, std::string_view problem) {
  record_.status = status;
  record_.problem = problem;
  const std::string body = "assay: " + std::string(problem) + "\n";
  down_.pending = "HTTP/1.1 " + std::to_string(status) + " " +
                  std::string(StatusText(status)) +
                  "\r\nContent-Type: text/plain\r\nConnection: close\r\n"
                  "Content-Length: " +
                  std::to_string(body.size()) + "\r\n\r\n" + body;
  state_ = State::kAnswering;
  since_ = Clock::now();
  // The rest of what the client sends waits for a turn, as it may go on.
  (void)FinishAnswer();
}

// Closing with unread bytes would be a reset, and the client might never see
// the answer: it is read until it closes. True if it sends faster than one turn
// allows.
bool ProxyConnection::FinishAnswer() {
  if (!down_.pending.empty()) {
    const std::string answer = std::exchange(down_.pending, {});
    if (!Send(down_, answer, client_.get(), client_ready_)) {
      End();
      return false;
    }
    if (!down_.pending.empty()) return false;
  }
  if (!std::exchange(down_.closed, true)) {
    ::shutdown(client_.get(), SHUT_WR);
  }
  std::size_t budget = kTurn;
  while (client_ready_.readable && budget > 0) {
    const ssize_t n =
        ::recv(client_.get(), shared_.buffer.data(), shared_.buffer.size(), 0);
    if (n < 0 && errno == EAGAIN) {
      client_ready_.readable = false;
    } else if (n <= 0) {
      End();
      return false;
    } else {
      budget -= std::min(budget, static_cast<std::size_t>(n));
    }
  }
  return budget == 0;
}

bool ProxyConnection::Relay() {
  std::size_t budget = kTurn;
  const bool whole = Pump(up_, client_.get(), client_ready_, server_.get(),
                          server_ready_, record_.bytes_up, budget) &&
                     Pump(down_, server_.get(), server_ready_, client_.get(),
                          client_ready_, record_.bytes_down, budget);
  if (!whole) {
    Reset();
  } else if (up_.closed && down_.closed) {
    End();
  }
  return state_ == State::kRelaying && budget == 0;
}

bool ProxyConnection::Pump(Flow& flow, int from, Readiness& from_ready, int to,
                           Readiness& to_ready, std::int64_t& counter,
                           std::size_t& budget) {
  while (!flow.closed) {
    if (!flow.pending.empty()) {
      const std::string held = std::exchange(flow.pending, {});
      if (!Send(flow, held, to, to_ready)) return false;
      if (!flow.pending.empty()) return true;
    }
    if (flow.ended) {
      ::shutdown(to, SHUT_WR);
      flow.closed = true;
      return true;
    }
    if (!from_ready.readable || budget == 0) return true;
    const ssize_t n =
        ::recv(from, shared_.buffer.data(), shared_.buffer.size(), 0);
    if (n < 0 && errno == EAGAIN) {
      from_ready.readable = false;
      return true;
    }
    if (n < 0) {
      record_.problem = "the connection was reset";
      return false;
    }
    if (n == 0) {
      flow.ended = true;
      continue;
    }
    const auto size = static_cast<std::size_t>(n);
    // Less than asked for was all that there was: the next byte is an event.
    if (size < shared_.buffer.size() && !from_ready.ended) {
      from_ready.readable = false;
    }
    budget -= std::min(budget, size);
    counter += n;
    shared_.total_bytes += n;
    if (!WithinLimits(counter) ||
        !Send(flow, {shared_.buffer.data(), size}, to, to_ready)) {
      return false;
    }
  }
  return true;
}

bool ProxyConnection::Send(Flow& flow, std::string_view bytes, int to,
                           Readiness& ready) {
  while (!bytes.empty() && ready.writable) {
    const ssize_t n = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) {
      ready.writable = false;
    } else if (n < 0) {
      record_.problem = "the connection was reset";
      return false;
    } else {
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  flow.pending.assign(bytes);
  return true;
}

bool ProxyConnection::WithinLimits(std::int64_t counter) {
  if (counter > shared_.limits.connection_bytes) {
    record_.problem = "more bytes than one connection may carry";
    return false;
  }
  if (shared_.total_bytes > shared_.limits.total_bytes) {
    record_.problem = "more bytes than may be carried altogether";
    return false;
  }
  return true;
}

void ProxyConnection::OnTime(Clock::time_point now) {
  const EgressLimits& limits = shared_.limits;
  switch (state_) {
    case State::kHead:
      if (now - since_ > limits.head) {
        Answer(408, "the request did not come in time");
      }
      break;
    case State::kDialling:
      if (now - since_ > limits.dial) {
        Answer(504, HostPort(record_) + " could not be reached in time");
      }
      break;
    case State::kRelaying:
      // Bytes are looked at here and not noted one by one: the clock is not
      // read on the way.
      if (const auto bytes = record_.bytes_up + record_.bytes_down;
          bytes != seen_bytes_) {
        seen_bytes_ = bytes;
        since_ = now;
      }
      if (now - begin_ > limits.lifetime) {
        Fail("it was open for too long");
      } else if (now - since_ > limits.idle) {
        Fail("nothing was sent for too long");
      }
      break;
    case State::kAnswering:
      if (now - since_ > kAnswerLimit) End();
      break;
    case State::kOver:
      break;
  }
}

void ProxyConnection::Fail(const std::string& problem) {
  if (state_ == State::kDialling) return Answer(502, problem);
  if (state_ == State::kRelaying && record_.problem.empty()) {
    record_.problem = problem;
  }
  Reset();
}

// RST rather than FIN: nobody shall take half an answer for a whole one.
void ProxyConnection::Reset() {
  const linger none = {1, 0};
  for (const int fd : {client_.get(), server_.get()}) {
    if (fd >= 0) ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
  }
  End();
}

void ProxyConnection::End() {
  if (state_ == State::kOver) return;
  state_ = State::kOver;
  record_.end_nanos = NanosNow();
  client_.Reset();
  server_.Reset();
}

}  // namespace assay::sandbox
