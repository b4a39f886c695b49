#include "runner/wires/resp_reader.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace assay::wires {

RespReader::Line RespReader::TakeLine(std::string_view& bytes) {
  const std::size_t end = bytes.find('\n');
  const std::string_view part =
      bytes.substr(0, end == std::string_view::npos ? end : end + 1);
  if (line_.size() + part.size() > kLine) return Line::kTooLong;
  line_ += part;
  bytes.remove_prefix(part.size());
  value_.bytes += static_cast<std::int64_t>(part.size());
  if (end == std::string_view::npos) return Line::kNeedMore;
  line_.pop_back();
  if (line_.ends_with('\r')) line_.pop_back();
  return Line::kWhole;
}

RespReader::Result RespReader::Next(std::string_view& bytes, RespValue& value) {
  while (!bytes.empty()) {
    if (string_left_ >= 0) {
      const std::string_view part = bytes.substr(
          0, static_cast<std::size_t>(std::min<std::int64_t>(
                 string_left_, static_cast<std::int64_t>(bytes.size()))));
      // The two at the end are its CRLF.
      const std::int64_t content = std::max<std::int64_t>(0, string_left_ - 2);
      const std::string_view text =
          part.substr(0, static_cast<std::size_t>(std::min<std::int64_t>(
                             content, static_cast<std::int64_t>(part.size()))));
      string_ += text.substr(
          0, RespValue::kText - std::min(RespValue::kText, string_.size()));
      bytes.remove_prefix(part.size());
      value_.bytes += static_cast<std::int64_t>(part.size());
      string_left_ -= static_cast<std::int64_t>(part.size());
      if (string_left_ > 0) return Result::kNeedMore;
      string_left_ = -1;
      Scalar(std::exchange(string_, {}));
    } else {
      switch (TakeLine(bytes)) {
        case Line::kNeedMore:
          return Result::kNeedMore;
        case Line::kTooLong:
          return Result::kNotTheProtocol;
        case Line::kWhole:
          break;
      }
      const bool good = Read();
      line_.clear();
      if (!good) return Result::kNotTheProtocol;
    }
    if (std::exchange(whole_, false)) {
      value = std::exchange(value_, {});
      begun_ = false;
      return Result::kValue;
    }
  }
  return Result::kNeedMore;
}

bool RespReader::ReadLength(std::int64_t& length) const {
  const char* end = line_.data() + line_.size();
  const auto [at, error] = std::from_chars(line_.data() + 1, end, length);
  return error == std::errc() && at == end && length >= -1 && length <= kMost;
}

bool RespReader::Read() {
  if (line_.empty()) {
    // Between commands it is ignored.
    value_.bytes = 0;
    return lines_ && !begun_;
  }
  const char type = line_.front();
  if (!begun_) value_.type = type;
  std::int64_t length = 0;
  switch (type) {
    case '+':
    case '-':
    case ':':
    case ',':
    case '(':
    case '#':
      begun_ = true;
      Scalar(std::string_view(line_).substr(1));
      return true;
    case '_':
      begun_ = true;
      value_.null = value_.null || open_.empty();
      Scalar("");
      return true;
    case '$':
    case '!':
    case '=':
      if (!ReadLength(length)) return false;
      begun_ = true;
      if (length >= 0) {
        string_left_ = length + 2;
      } else {
        value_.null = value_.null || open_.empty();
        Scalar("");
      }
      return true;
    case '*':
    case '~':
    case '>':
      return ReadLength(length) && Open(length);
    case '%':
      return ReadLength(length) && Open(2 * length);
    case '|':
      // Attributes stand in front of the value that they belong to.
      return ReadLength(length) && length >= 0 && Open(2 * length + 1);
    default:
      break;
  }
  if (!lines_ || begun_) return false;
  value_.type = ' ';
  for (std::string_view rest = line_; !rest.empty();) {
    const std::size_t space = std::min(rest.find(' '), rest.size());
    if (space > 0) {
      ++value_.count;
      if (value_.items.size() < RespValue::kItems) {
        value_.items.emplace_back(
            rest.substr(0, std::min(space, RespValue::kText)));
      }
    }
    rest.remove_prefix(std::min(space + 1, rest.size()));
  }
  whole_ = true;
  return true;
}

bool RespReader::Open(std::int64_t elements) {
  const bool outermost = !std::exchange(begun_, true);
  if (outermost) value_.count = std::max<std::int64_t>(0, elements);
  if (elements < 0 && outermost) value_.null = true;
  if (open_.size() >= kDepth) return false;
  if (elements > 0) {
    if (open_.size() == 1 && value_.items.size() < RespValue::kItems) {
      value_.items.emplace_back();
    }
    open_.push_back(elements);
    return true;
  }
  whole_ = Close();
  return true;
}

void RespReader::Scalar(std::string_view text) {
  text = text.substr(0, RespValue::kText);
  if (open_.empty()) value_.text = text;
  if (open_.size() == 1 && value_.items.size() < RespValue::kItems) {
    value_.items.emplace_back(text);
  }
  whole_ = Close();
}

bool RespReader::Close() {
  while (!open_.empty() && --open_.back() == 0) open_.pop_back();
  return open_.empty();
}

}  // namespace assay::wires
