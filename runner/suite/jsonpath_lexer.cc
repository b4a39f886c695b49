#include "runner/suite/jsonpath_lexer.h"

#include <cstdlib>

#include "runner/suite/utf8.h"

namespace assay::suite::jsonpath {
namespace {

// The integers that every JSON reader agrees on (I-JSON).
constexpr std::int64_t kMaxExact = (std::int64_t{1} << 53) - 1;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameFirst(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

char Lexer::Peek(std::size_t ahead) const {
  return position_ + ahead < text_.size() ? text_[position_ + ahead] : '\0';
}

bool Lexer::LooksAt(std::string_view token) const {
  return text_.substr(position_).starts_with(token);
}

bool Lexer::Take(std::string_view token) {
  if (!LooksAt(token)) return false;
  position_ += token.size();
  return true;
}

void Lexer::Expect(std::string_view token, std::string_view where) {
  if (Take(token)) return;
  Fail("expected " + std::string(token) + " " + std::string(where));
}

void Lexer::SkipBlanks() {
  while (!AtEnd() && (Peek() == ' ' || Peek() == '\t' || Peek() == '\n' ||
                      Peek() == '\r')) {
    ++position_;
  }
}

void Lexer::Fail(std::string message) const {
  throw SyntaxError{position_, std::move(message)};
}

bool Lexer::AtInteger() const { return IsDigit(Peek()) || Peek() == '-'; }

std::int64_t Lexer::Integer() {
  const std::size_t start = position_;
  const bool negative = Take("-");
  if (!IsDigit(Peek())) Fail("expected a number");
  const bool zero = Peek() == '0';
  std::int64_t value = 0;
  while (IsDigit(Peek())) {
    value = value * 10 + (Peek() - '0');
    if (value > kMaxExact) Fail("the number is too large");
    ++position_;
  }
  if (zero && (negative || position_ - start > 1)) {
    position_ = start;
    Fail("numbers have no leading zero and zero has no sign");
  }
  return negative ? -value : value;
}

nlohmann::json Lexer::Number() {
  const std::size_t start = position_;
  Take("-");
  if (!IsDigit(Peek())) Fail("expected a number");
  const bool zero = Peek() == '0';
  std::size_t digits = 0;
  while (IsDigit(Peek())) ++position_, ++digits;
  if (zero && digits > 1) Fail("numbers have no leading zero");
  bool whole = true;
  if (Take(".")) {
    whole = false;
    if (!IsDigit(Peek())) Fail("expected digits after the decimal point");
    while (IsDigit(Peek())) ++position_;
  }
  if (Take("e") || Take("E")) {
    whole = false;
    if (!Take("-")) Take("+");
    if (!IsDigit(Peek())) Fail("expected digits in the exponent");
    while (IsDigit(Peek())) ++position_;
  }
  const std::string text(text_.substr(start, position_ - start));
  if (whole && digits <= 18) return std::strtoll(text.c_str(), nullptr, 10);
  return std::strtod(text.c_str(), nullptr);
}

std::string Lexer::String() {
  const char quote = Peek();
  ++position_;
  std::string value;
  while (true) {
    if (AtEnd()) Fail("the text has no closing quote");
    const char c = Peek();
    if (c == quote) break;
    if (static_cast<unsigned char>(c) < 0x20) {
      Fail("control characters in a text need an escape");
    }
    ++position_;
    if (c == '\\') {
      AppendUtf8(value, Escape(quote));
    } else {
      value += c;
    }
  }
  ++position_;
  return value;
}

char32_t Lexer::Escape(char quote) {
  const char c = Peek();
  ++position_;
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case '/':
    case '\\':
      return c;
    case 'u':
      break;
    default:
      if (c == quote) return c;
      --position_;
      Fail("unknown escape in a text");
  }
  const char32_t high = HexUnit();
  if (high < 0xD800 || high > 0xDFFF) return high;
  if (high > 0xDBFF || !Take("\\u")) Fail("half a surrogate pair");
  const char32_t low = HexUnit();
  if (low < 0xDC00 || low > 0xDFFF) Fail("half a surrogate pair");
  return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

char32_t Lexer::HexUnit() {
  char32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = Peek();
    value <<= 4;
    if (IsDigit(c)) {
      value |= static_cast<char32_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value |= static_cast<char32_t>(c - 'a' + 10);
    } else if (c >= 'A' && c <= 'F') {
      value |= static_cast<char32_t>(c - 'A' + 10);
    } else {
      Fail("expected four hexadecimal digits after \\u");
    }
    ++position_;
  }
  return value;
}

bool Lexer::AtMemberName() const { return IsNameFirst(Peek()); }

std::string Lexer::MemberName() {
  if (!AtMemberName()) Fail("expected a name");
  const std::size_t start = position_;
  while (IsNameFirst(Peek()) || IsDigit(Peek())) ++position_;
  return std::string(text_.substr(start, position_ - start));
}

std::string Lexer::FunctionName() {
  const std::size_t start = position_;
  if (Peek() < 'a' || Peek() > 'z') return "";
  while ((Peek() >= 'a' && Peek() <= 'z') || IsDigit(Peek()) || Peek() == '_') {
    ++position_;
  }
  return std::string(text_.substr(start, position_ - start));
}

}  // namespace assay::suite::jsonpath
