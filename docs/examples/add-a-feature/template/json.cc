#include "json.h"

#include <cctype>

namespace {

class Parser {
 public:
  explicit Parser(const std::string& text) : text_(text) {}

  std::optional<Object> Parse() {
    Object object;
    if (!Take('{')) return {};
    if (Take('}')) return AtEnd() ? std::optional(object) : std::nullopt;
    do {
      const auto name = String();
      if (!name || !Take(':')) return {};
      const auto value = Any();
      if (!value) return {};
      object[*name] = *value;
    } while (Take(','));
    if (!Take('}') || !AtEnd()) return {};
    return object;
  }

 private:
  void SkipBlanks() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  bool AtEnd() {
    SkipBlanks();
    return at_ == text_.size();
  }
  bool Take(char c) {
    SkipBlanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::optional<std::string> String() {
    if (!Take('"')) return {};
    std::string value;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\' && ++at_ >= text_.size()) return {};
      value += text_[at_++];
    }
    if (at_ >= text_.size()) return {};
    ++at_;
    return value;
  }
  std::optional<Value> Any() {
    SkipBlanks();
    if (at_ < text_.size() && text_[at_] == '"') {
      const auto text = String();
      if (!text) return {};
      return Value(*text);
    }
    std::string digits;
    if (Take('-')) digits = "-";
    while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_]))) {
      digits += text_[at_++];
    }
    if (digits.empty() || digits == "-" || digits.size() > 15) return {};
    return Value(std::stol(digits));
  }

  const std::string& text_;
  std::size_t at_ = 0;
};

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return quoted + "\"";
}

}  // namespace

std::optional<Object> ParseObject(const std::string& text) {
  return Parser(text).Parse();
}

std::string Write(const Object& object) {
  std::string text;
  for (const auto& [name, value] : object) {
    text += (text.empty() ? "" : ",") + Quoted(name) + ":";
    const auto* string = std::get_if<std::string>(&value);
    text += string ? Quoted(*string) : std::to_string(std::get<long>(value));
  }
  return "{" + text + "}";
}
