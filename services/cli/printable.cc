#include "services/cli/printable.h"

#include <algorithm>
#include <cstdint>

namespace assay::cli {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct CodePoint {
  char32_t value = 0;
  // Bytes taken from the text; 1 for a byte that starts nothing valid.
  std::size_t size = 1;
  bool valid = false;
};

bool IsContinuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

CodePoint Decode(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {lead, 1, true};
  std::size_t size = 0;
  char32_t value = 0;
  char32_t smallest = 0;
  if ((lead & 0xE0) == 0xC0) {
    size = 2, value = lead & 0x1F, smallest = 0x80;
  } else if ((lead & 0xF0) == 0xE0) {
    size = 3, value = lead & 0x0F, smallest = 0x800;
  } else if ((lead & 0xF8) == 0xF0) {
    size = 4, value = lead & 0x07, smallest = 0x10000;
  } else {
    return {};
  }
  if (text.size() < size) return {};
  for (std::size_t i = 1; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (!IsContinuation(byte)) return {};
    value = value << 6 | (byte & 0x3F);
  }
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < smallest || value > 0x10FFFF || surrogate) return {};
  return {value, size, true};
}

bool DrivesATerminal(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F);
}

// Reorders or hides what stands around it, or is not seen itself: the soft
// hyphen, U+061C, U+180E, U+200B-F, U+202A-E, U+2060-F, line and paragraph
// separators, the byte order mark, U+FFF9-B, tags.
bool Disguises(char32_t c) {
  return c == 0x00AD || c == 0x061C || c == 0x180E ||
         (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||
         (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE007F);
}

// The escape sequence of Console::Paint that `text` begins with, or nothing.
std::string_view OwnColor(std::string_view text) {
  for (const std::string_view own :
       {"\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m"})
    if (text.starts_with(own)) return own;
  return {};
}

// "\\u202e", or two of them.
std::string Escaped(char32_t c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  const auto add = [&](char32_t unit) {
    text += "\\u";
    for (const int shift : {12, 8, 4, 0}) text += kDigits[unit >> shift & 0xF];
  };
  if (c < 0x10000) {
    add(c);
  } else {
    add(0xD800 + ((c - 0x10000) >> 10));
    add(0xDC00 + (c & 0x3FF));
  }
  return text;
}

}  // namespace

std::string Printable(std::string_view text, Lines lines) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = Decode(text);
    const char32_t c = point.value;
    if (!point.valid) {
      result += kReplacement;
    } else if (c == '\n' || c == '\t') {
      result += lines == Lines::kMany ? static_cast<char>(c) : ' ';
    } else if (!DrivesATerminal(c) && !Disguises(c)) {
      result += text.substr(0, point.size);
    }
    text.remove_prefix(point.size);
  }
  return result;
}

std::string Presentable(std::string_view text, bool colors) {
  std::string result;
  while (!text.empty()) {
    const std::string_view own = colors ? OwnColor(text) : "";
    result += own;
    text.remove_prefix(own.size());
    const std::size_t next = text.find('\x1b', own.empty() ? 1 : 0);
    result += Printable(text.substr(0, next), Lines::kMany);
    text.remove_prefix(std::min(next, text.size()));
  }
  return result;
}

std::string PrintableJson(std::string_view json) {
  std::string result;
  result.reserve(json.size());
  while (!json.empty()) {
    const CodePoint point = Decode(json);
    const char32_t c = point.value;
    // White space between values is no control character here.
    const bool hidden = point.valid && c != '\n' && c != '\t' && c != '\r' &&
                        (DrivesATerminal(c) || Disguises(c));
    if (!point.valid)
      result += kReplacement;
    else if (hidden)
      result += Escaped(c);
    else
      result += json.substr(0, point.size);
    json.remove_prefix(point.size);
  }
  return result;
}

std::size_t Columns(std::string_view utf8) {
  std::size_t columns = 0;
  for (const char c : utf8) {
    columns += !IsContinuation(static_cast<unsigned char>(c));
  }
  return columns;
}

std::string Shorten(std::string_view utf8, std::size_t columns) {
  if (Columns(utf8) <= columns) return std::string(utf8);
  if (columns == 0) return "";
  std::size_t kept = 0;
  std::size_t end = 0;
  while (end < utf8.size()) {
    const bool starts = !IsContinuation(static_cast<unsigned char>(utf8[end]));
    if (starts && kept + 1 == columns) break;
    kept += starts;
    ++end;
  }
  return std::string(utf8.substr(0, end)) + "…";
}

std::string PadRight(std::string_view utf8, std::size_t columns) {
  std::string result(utf8);
  const std::size_t used = Columns(utf8);
  if (used < columns) result.append(columns - used, ' ');
  return result;
}

std::string PadLeft(std::string_view utf8, std::size_t columns) {
  const std::size_t used = Columns(utf8);
  std::string result(used < columns ? columns - used : 0, ' ');
  return result + std::string(utf8);
}

}  // namespace assay::cli
