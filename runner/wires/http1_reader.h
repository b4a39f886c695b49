#ifndef ASSAY_RUNNER_WIRES_HTTP1_READER_H_
#define ASSAY_RUNNER_WIRES_HTTP1_READER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace assay::wires {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// The value of the first header of that name (lower case); empty: none.
std::string_view FindHeader(const HttpHeaders& headers, std::string_view name);

// Start line and headers of a message.
struct Http1Head {
  // Of a request: method, target, version. Of a response: version, status and
  // reason.
  std::string first;
  std::string second;
  std::string third;
  // Names in lower case, values without white space around them.
  HttpHeaders headers;
  // Of the empty line that ends it, as sent: 1 or 2.
  std::size_t empty_line = 2;

  // Of a response; 0: none that could be read.
  int status() const;
};

// Reads one direction of an HTTP/1.1 connection (RFC 9112): bytes in, pieces of
// messages out. The caller says after each head how its body ends, since that
// depends on the other direction too.
//
// Bounded: a head has at most kHeadBytes and kHeaders lines.
class Http1Reader {
 public:
  static constexpr std::size_t kHeadBytes = 64 << 10;
  static constexpr std::size_t kHeaderLines = 256;

  enum class Result {
    kNeedMore,
    // head() is there; call SetBody before the next Next.
    kHead,
    // Some of the body, in `piece`.
    kBody,
    // The message is complete.
    kEnd,
    // Not HTTP/1.1, or over a limit; see reason().
    kNotTheProtocol,
  };
  enum class Body { kNone, kLength, kChunked, kUntilClose };

  // Takes from the front of `bytes` up to the next event.
  Result Next(std::string_view& bytes, std::string_view& piece);
  void SetBody(Body body, std::int64_t length = 0);
  // The peer is done: the end of a body that lasts until then. False when it
  // cuts a message off.
  bool Close();

  const Http1Head& head() const { return head_; }
  Http1Head TakeHead() { return std::move(head_); }
  const std::string& reason() const { return reason_; }
  // Nothing of the next message has come.
  bool between_messages() const {
    return state_ == State::kStart && line_.empty();
  }
  // The last byte taken was the CR of what is most likely the head's last,
  // empty line.
  bool after_lone_cr() const {
    return state_ == State::kHeaders && line_ == "\r";
  }

 private:
  enum class State {
    kStart,
    kHeaders,
    kWaitingForBody,
    kLength,
    kChunkSize,
    kChunkData,
    kChunkEnd,
    kTrailers,
    kUntilClose,
    kEnd,
    kBad,
  };

  // Whether a whole line is in line_, without its end.
  bool TakeLine(std::string_view& bytes);
  Result Bad(std::string reason);
  Result StartLine();
  Result HeaderLine();
  Result ChunkSize();

  State state_ = State::kStart;
  Http1Head head_;
  std::string line_;
  std::size_t line_end_ = 0;
  std::size_t head_bytes_ = 0;
  std::uint64_t left_ = 0;
  std::string reason_;
};

// How a head's body ends by Content-Length and Transfer-Encoding alone.
struct Http1Framing {
  Http1Reader::Body body = Http1Reader::Body::kNone;
  std::int64_t length = 0;
  // Neither header was there.
  bool unsaid = true;
  // Why it cannot be known: both headers, several lengths. What reads it one
  // way may differ from what reads it another.
  std::string problem;
};
Http1Framing FramingOf(const HttpHeaders& headers);

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_HTTP1_READER_H_
