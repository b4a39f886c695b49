#include "runner/suite/jsonpath_regex.h"

#include <re2/re2.h>

namespace assay::suite::jsonpath {
namespace {

constexpr std::size_t kMaxKept = 32;
constexpr std::size_t kMaxPattern = 1000;

}  // namespace

std::string ToRe2(std::string_view iregexp) {
  std::string pattern;
  bool in_class = false;
  for (std::size_t i = 0; i < iregexp.size(); ++i) {
    const char c = iregexp[i];
    if (c == '\\' && i + 1 < iregexp.size()) {
      pattern += c;
      pattern += iregexp[++i];
      continue;
    }
    if (c == '[') in_class = true;
    if (c == ']') in_class = false;
    if (c == '.' && !in_class) {
      pattern += "[^\\n\\r]";
    } else {
      pattern += c;
    }
  }
  return pattern;
}

RegexCache::RegexCache() = default;
RegexCache::~RegexCache() = default;

bool RegexCache::Matches(const std::string& pattern, const std::string& text,
                         bool whole, const std::function<void()>& on_compile) {
  if (pattern.size() > kMaxPattern) return false;
  auto it = compiled_.find(pattern);
  if (it == compiled_.end()) {
    on_compile();
    if (compiled_.size() >= kMaxKept) compiled_.clear();
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(1 << 20);
    it = compiled_
             .emplace(pattern, std::make_unique<RE2>(ToRe2(pattern), options))
             .first;
  }
  const RE2& regex = *it->second;
  if (!regex.ok()) return false;
  return whole ? RE2::FullMatch(text, regex) : RE2::PartialMatch(text, regex);
}

}  // namespace assay::suite::jsonpath
