#include "runner/wires/postgres_messages.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace assay::wires {
namespace {

constexpr std::string_view kClientTypes = "QPBEDCSHXFdcfp";
constexpr std::string_view kServerTypes = "RKSZCDTEN123IAnstGHWVdcv";
// libpq's own limits: a startup packet, and any message (1 GiB).
constexpr std::uint32_t kLongestStartup = 10'000;
constexpr std::uint32_t kLongest = 1u << 30;

// How much of a payload its reader looks at. Passwords are never kept.
std::uint32_t KeptBytes(Speaker speaker, char type) {
  if (speaker == Speaker::kClient) {
    switch (type) {
      case '\0':
        return kLongestStartup;
      case 'Q':
      case 'P':
        return 64 << 10;
      case 'B':
        return 32 << 10;
      case 'E':
      case 'D':
      case 'C':
        return 1024;
      default:
        return 0;
    }
  }
  switch (type) {
    case 'E':
    case 'N':
      return 8 << 10;
    case 'C':
      return 256;
    case 'Z':
    case 'R':
      return 16;
    case 't':
      return 2048;
    default:
      return 0;
  }
}

std::uint32_t BigEndian(std::string_view four) {
  std::uint32_t value = 0;
  for (const char c : four) {
    value = value << 8 | static_cast<unsigned char>(c);
  }
  return value;
}

}  // namespace

std::uint8_t FieldReader::Byte() {
  const std::string_view one = Bytes(1);
  return one.empty() ? 0 : static_cast<std::uint8_t>(one[0]);
}

std::int16_t FieldReader::Int16() {
  return static_cast<std::int16_t>(BigEndian(Bytes(2)));
}

std::int32_t FieldReader::Int32() {
  return static_cast<std::int32_t>(BigEndian(Bytes(4)));
}

std::string_view FieldReader::Text() {
  const std::size_t end = bytes_.find('\0');
  if (end == std::string_view::npos) {
    ok_ = false;
    return std::exchange(bytes_, {});
  }
  const std::string_view text = bytes_.substr(0, end);
  bytes_.remove_prefix(end + 1);
  return text;
}

std::string_view FieldReader::Bytes(std::size_t count) {
  if (count > bytes_.size()) {
    ok_ = false;
    bytes_ = {};
    return {};
  }
  const std::string_view taken = bytes_.substr(0, count);
  bytes_.remove_prefix(count);
  return taken;
}

MessageCutter::Result MessageCutter::ReadHeader(std::string_view& bytes) {
  const std::size_t size = startup_ ? 4 : 5;
  const std::size_t take = std::min(size - header_.size(), bytes.size());
  header_ += bytes.substr(0, take);
  bytes.remove_prefix(take);
  // Rejected at its first byte: a stranger's type must not make us wait for a
  // length that never comes.
  const std::string_view types =
      speaker_ == Speaker::kClient ? kClientTypes : kServerTypes;
  if (!startup_ && !header_.empty() &&
      types.find(header_[0]) == std::string_view::npos) {
    return Result::kNotTheProtocol;
  }
  if (header_.size() < size) return Result::kNeedMore;

  type_ = startup_ ? '\0' : header_[0];
  const std::uint32_t counted =
      BigEndian(std::string_view(header_).substr(size - 4));
  if (counted < 4 || counted > (startup_ ? kLongestStartup : kLongest)) {
    return Result::kNotTheProtocol;
  }
  length_ = counted - 4;
  remaining_ = length_;
  keep_ = std::min(length_, KeptBytes(speaker_, type_));
  header_.clear();
  payload_.clear();
  in_payload_ = true;
  return Result::kMessage;
}

MessageCutter::Result MessageCutter::Next(std::string_view& bytes,
                                          Message& message) {
  if (!in_payload_) {
    if (bytes.empty()) return Result::kNeedMore;
    const Result header = ReadHeader(bytes);
    if (header != Result::kMessage) return header;
  }
  const std::size_t take = std::min<std::size_t>(remaining_, bytes.size());
  const std::size_t want = keep_ - payload_.size();
  payload_ += bytes.substr(0, std::min(take, want));
  bytes.remove_prefix(take);
  remaining_ -= static_cast<std::uint32_t>(take);
  if (remaining_ > 0) return Result::kNeedMore;
  in_payload_ = false;
  startup_ = false;
  message = {type_, payload_, length_, keep_ == length_};
  return Result::kMessage;
}

ServerError ReadServerError(std::string_view payload) {
  ServerError error;
  FieldReader fields(payload);
  while (fields.ok()) {
    const char kind = static_cast<char>(fields.Byte());
    if (kind == '\0') break;
    const std::string_view text = fields.Text();
    if (kind == 'S') error.severity = text;
    if (kind == 'C') error.code = text;
    if (kind == 'M') error.message = text;
    if (kind == 'D') error.detail = text;
  }
  return error;
}

std::int64_t RowsOfTag(std::string_view tag) {
  const std::size_t space = tag.rfind(' ');
  if (space == std::string_view::npos) return 0;
  const std::string_view digits = tag.substr(space + 1);
  std::int64_t rows = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), rows);
  return rows;
}

void AppendInt16(std::string& out, std::int16_t value) {
  const auto bits = static_cast<std::uint16_t>(value);
  out += static_cast<char>(bits >> 8);
  out += static_cast<char>(bits & 0xff);
}

void AppendInt32(std::string& out, std::int32_t value) {
  const auto bits = static_cast<std::uint32_t>(value);
  for (const int shift : {24, 16, 8, 0}) {
    out += static_cast<char>(bits >> shift & 0xff);
  }
}

void AppendMessage(std::string& out, char type, std::string_view payload) {
  if (type != '\0') out += type;
  AppendInt32(out, static_cast<std::int32_t>(payload.size() + 4));
  out += payload;
}

}  // namespace assay::wires
