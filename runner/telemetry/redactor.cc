#include "runner/telemetry/redactor.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace assay::telemetry {
namespace {

std::string PercentEncoded(std::string_view value) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const unsigned char c : value) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                       (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
                       c == '.' || c == '~';
    if (plain) {
      out += static_cast<char>(c);
    } else {
      out += '%';
      out += kHex[c >> 4];
      out += kHex[c & 15];
    }
  }
  return out;
}

std::string JsonEscaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

// The base64 digits that depend on nothing but `value`, when `skew` unknown
// bytes stand before it.
std::string Base64Core(std::string_view value, std::size_t skew,
                       std::string_view alphabet) {
  std::string bytes(skew, '\0');
  bytes += value;
  std::string digits;
  for (std::size_t bit = 0; bit + 6 <= bytes.size() * 8; bit += 6) {
    const auto at = [&](std::size_t i) -> std::uint32_t {
      return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0;
    };
    const std::uint32_t pair = at(bit / 8) << 8 | at(bit / 8 + 1);
    digits += alphabet[(pair >> (10 - bit % 8)) & 63];
  }
  return digits.substr((skew * 8 + 5) / 6);
}

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// What stands in the place of the rest of a text (suite::Shorten).
constexpr std::string_view kCut = "...";

}  // namespace

void Redactor::Add(std::string_view name, std::string_view value) {
  if (value.size() < kShortest) return;
  AddPattern(name, std::string(value));
  AddPattern(name, PercentEncoded(value));
  AddPattern(name, JsonEscaped(value));
  // Shorter cores would occur by chance.
  if (value.size() >= 8) {
    for (const std::size_t skew : {0, 1, 2}) {
      AddPattern(name, Base64Core(value, skew, kBase64));
      AddPattern(name, Base64Core(value, skew, kBase64Url));
    }
  }
}

void Redactor::AddPattern(std::string_view name, std::string bytes) {
  const auto same = [&](const Pattern& p) {
    return p.bytes == bytes && p.name == name;
  };
  if (std::ranges::any_of(patterns_, same)) return;
  const auto shorter = std::ranges::find_if(patterns_, [&](const Pattern& p) {
    return p.bytes.size() < bytes.size();
  });
  patterns_.insert(shorter, {std::move(bytes), std::string(name),
                             "[secret:" + std::string(name) + "]"});
}

std::pair<std::string, std::size_t> Redactor::RedactPrefix(
    std::string_view text) const {
  std::string out;
  std::size_t at = 0;
  // Where each pattern occurs next; found again only once it was passed.
  std::vector<std::size_t> next(patterns_.size(), 0);
  for (std::size_t i = 0; i < patterns_.size(); ++i) {
    next[i] = text.find(patterns_[i].bytes);
  }
  while (true) {
    const auto first = std::ranges::min_element(next);
    if (first == next.end() || *first == std::string_view::npos) break;
    const Pattern& hit =
        patterns_[static_cast<std::size_t>(first - next.begin())];
    out += text.substr(at, *first - at);
    out += hit.replacement;
    at = *first + hit.bytes.size();
    for (std::size_t i = 0; i < patterns_.size(); ++i) {
      if (next[i] < at) next[i] = text.find(patterns_[i].bytes, at);
    }
  }
  std::size_t certain = text.size();
  for (const Pattern& pattern : patterns_) {
    std::size_t length = std::min(pattern.bytes.size() - 1, text.size() - at);
    for (; length > 0; --length) {
      if (text.substr(text.size() - length) ==
          std::string_view(pattern.bytes).substr(0, length)) {
        break;
      }
    }
    certain = std::min(certain, text.size() - length);
  }
  out += text.substr(at, certain - at);
  return {std::move(out), certain};
}

std::string Redactor::Redact(std::string_view text) const {
  if (patterns_.empty()) return std::string(text);
  auto [out, certain] = RedactPrefix(text);
  out += text.substr(certain);
  RedactCut(out);
  return out;
}

// Texts are shortened before they come here, maybe in the middle of a secret.
void Redactor::RedactCut(std::string& text) const {
  for (std::size_t end = text.find(kCut); end != std::string::npos;
       end = text.find(kCut, end + kCut.size())) {
    const std::string_view before(text.data(), end);
    const Pattern* hit = nullptr;
    std::size_t longest = kShortest - 1;
    for (const Pattern& pattern : patterns_) {
      for (std::size_t length = std::min(pattern.bytes.size() - 1, end);
           length > longest; --length) {
        if (!before.ends_with(
                std::string_view(pattern.bytes).substr(0, length)))
          continue;
        hit = &pattern;
        longest = length;
      }
    }
    if (hit == nullptr) continue;
    text.replace(end - longest, longest, hit->replacement);
    end += hit->replacement.size() - longest;
  }
}

bool Redactor::Mentions(std::string_view text) const {
  return std::ranges::any_of(patterns_, [&](const Pattern& p) {
    return text.find(p.bytes) != std::string_view::npos;
  });
}

std::optional<std::size_t> Redactor::FindNamed(std::string_view name,
                                               std::string_view text) const {
  std::optional<std::size_t> first;
  for (const Pattern& pattern : patterns_) {
    if (pattern.name != name) continue;
    const std::size_t at = text.find(pattern.bytes);
    if (at != std::string_view::npos) first = std::min(at, first.value_or(at));
  }
  return first;
}

std::string Redactor::Stream::Push(std::string_view piece) {
  if (redactor_.empty() && held_.empty()) return std::string(piece);
  held_ += piece;
  auto [out, certain] = redactor_.RedactPrefix(held_);
  held_.erase(0, certain);
  return out;
}

std::string Redactor::Stream::Finish() {
  // A secret may have been added since these bytes were held back.
  return redactor_.Redact(std::exchange(held_, {}));
}

}  // namespace assay::telemetry
