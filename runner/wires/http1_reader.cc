#include "runner/wires/http1_reader.h"

#include <algorithm>
#include <charconv>

namespace assay::wires {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 62;

std::string_view Trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool IsTokenChar(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool IsDigits(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string_view FindHeader(const HttpHeaders& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

int Http1Head::status() const {
  if (second.size() != 3 || !IsDigits(second)) return 0;
  return (second[0] - '0') * 100 + (second[1] - '0') * 10 + (second[2] - '0');
}

Http1Reader::Result Http1Reader::Bad(std::string reason) {
  state_ = State::kBad;
  reason_ = std::move(reason);
  return Result::kNotTheProtocol;
}

bool Http1Reader::TakeLine(std::string_view& bytes) {
  const std::size_t end = bytes.find('\n');
  const std::string_view taken =
      bytes.substr(0, end == std::string_view::npos ? end : end + 1);
  head_bytes_ += taken.size();
  if (head_bytes_ <= kHeadBytes) line_ += taken;
  bytes.remove_prefix(taken.size());
  if (end == std::string_view::npos || head_bytes_ > kHeadBytes) return false;
  line_.pop_back();
  line_end_ = 1;
  if (line_.ends_with('\r')) {
    line_.pop_back();
    line_end_ = 2;
  }
  return true;
}

Http1Reader::Result Http1Reader::StartLine() {
  // An empty line before a request is to be ignored.
  if (line_.empty()) {
    head_bytes_ = 0;
    return Result::kNeedMore;
  }
  head_ = {};
  const std::size_t first = line_.find(' ');
  const std::size_t second =
      first == std::string::npos ? first : line_.find(' ', first + 1);
  head_.first = line_.substr(0, first);
  if (first != std::string::npos) {
    head_.second = line_.substr(
        first + 1, second == std::string::npos ? second : second - first - 1);
  }
  if (second != std::string::npos) head_.third = line_.substr(second + 1);
  const bool response = head_.first.starts_with("HTTP/");
  const std::string& version = response ? head_.first : head_.third;
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return Bad("this is not HTTP/1.1");
  }
  if (response ? head_.status() < 100
               : !std::ranges::all_of(head_.first, IsTokenChar)) {
    return Bad("this is not HTTP/1.1");
  }
  line_.clear();
  state_ = State::kHeaders;
  return Result::kNeedMore;
}

Http1Reader::Result Http1Reader::HeaderLine() {
  if (line_.empty()) {
    head_.empty_line = line_end_;
    head_bytes_ = 0;
    if (state_ == State::kTrailers) {
      state_ = State::kStart;
      return Result::kEnd;
    }
    state_ = State::kWaitingForBody;
    return Result::kHead;
  }
  if (state_ == State::kTrailers) {
    line_.clear();
    return Result::kNeedMore;
  }
  const std::size_t colon = line_.find(':');
  const std::string_view name =
      std::string_view(line_).substr(0, colon == std::string::npos ? 0 : colon);
  if (name.empty() || !std::ranges::all_of(name, IsTokenChar)) {
    return Bad("a header line is malformed");
  }
  if (head_.headers.size() >= kHeaderLines) {
    return Bad("a message has too many header lines");
  }
  head_.headers.emplace_back(Lower(name),
                             Trim(std::string_view(line_).substr(colon + 1)));
  line_.clear();
  return Result::kNeedMore;
}

Http1Reader::Result Http1Reader::ChunkSize() {
  // Extensions are nobody's business here.
  const std::string_view digits =
      Trim(std::string_view(line_).substr(0, line_.find(';')));
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), left_, 16);
  if (error != std::errc() || end != digits.data() + digits.size() ||
      left_ > kMostBytes) {
    return Bad("a chunk's size is malformed");
  }
  line_.clear();
  head_bytes_ = 0;
  state_ = left_ == 0 ? State::kTrailers : State::kChunkData;
  return Result::kNeedMore;
}

Http1Reader::Result Http1Reader::Next(std::string_view& bytes,
                                      std::string_view& piece) {
  if (state_ == State::kBad) return Result::kNotTheProtocol;
  if (state_ == State::kEnd) {
    state_ = State::kStart;
    return Result::kEnd;
  }
  while (!bytes.empty()) {
    Result result = Result::kNeedMore;
    switch (state_) {
      case State::kLength:
      case State::kChunkData: {
        piece = bytes.substr(0, left_);
        bytes.remove_prefix(piece.size());
        left_ -= piece.size();
        if (left_ == 0) {
          state_ = state_ == State::kLength ? State::kEnd : State::kChunkEnd;
        }
        return Result::kBody;
      }
      case State::kUntilClose:
        piece = bytes;
        bytes = {};
        return Result::kBody;
      case State::kWaitingForBody:
      case State::kEnd:
      case State::kBad:
        return Result::kNeedMore;
      case State::kStart:
      case State::kHeaders:
      case State::kTrailers:
      case State::kChunkSize:
      case State::kChunkEnd:
        // A request's method has no control characters; stop at the first.
        if (state_ == State::kStart && line_.empty() &&
            !IsTokenChar(bytes.front()) && bytes.front() != '\r' &&
            bytes.front() != '\n') {
          return Bad("this is not HTTP/1.1");
        }
        if (!TakeLine(bytes)) {
          if (head_bytes_ > kHeadBytes) return Bad("a head is too long");
          return Result::kNeedMore;
        }
        if (state_ == State::kStart) {
          result = StartLine();
        } else if (state_ == State::kChunkSize) {
          result = ChunkSize();
        } else if (state_ == State::kChunkEnd) {
          if (!line_.empty()) return Bad("a chunk is longer than it says");
          head_bytes_ = 0;
          state_ = State::kChunkSize;
        } else {
          result = HeaderLine();
        }
    }
    if (result != Result::kNeedMore) return result;
  }
  return Result::kNeedMore;
}

void Http1Reader::SetBody(Body body, std::int64_t length) {
  left_ = static_cast<std::uint64_t>(length);
  switch (body) {
    case Body::kNone:
      state_ = State::kEnd;
      return;
    case Body::kLength:
      state_ = left_ == 0 ? State::kEnd : State::kLength;
      return;
    case Body::kChunked:
      state_ = State::kChunkSize;
      return;
    case Body::kUntilClose:
      state_ = State::kUntilClose;
  }
}

bool Http1Reader::Close() {
  const bool whole = between_messages() || state_ == State::kUntilClose ||
                     state_ == State::kEnd;
  state_ = State::kBad;
  reason_ = "the connection has ended";
  return whole;
}

Http1Framing FramingOf(const HttpHeaders& headers) {
  Http1Framing framing;
  bool chunked = false;
  std::string_view length;
  for (const auto& [name, value] : headers) {
    if (name == "transfer-encoding") {
      if (Lower(value) != "chunked" || chunked) {
        framing.problem = "a transfer encoding other than chunked";
      }
      chunked = true;
    } else if (name == "content-length") {
      if (!length.empty() && length != value) {
        framing.problem = "several lengths";
      }
      length = value;
      if (!IsDigits(value) || value.size() > 18) {
        framing.problem = "a malformed length";
      }
    }
  }
  if (chunked && !length.empty()) {
    framing.problem = "both a length and a transfer encoding";
  }
  framing.unsaid = !chunked && length.empty();
  if (!framing.problem.empty()) return framing;
  if (chunked) framing.body = Http1Reader::Body::kChunked;
  if (!length.empty()) {
    framing.body = Http1Reader::Body::kLength;
    std::from_chars(length.data(), length.data() + length.size(),
                    framing.length);
  }
  return framing;
}

}  // namespace assay::wires
