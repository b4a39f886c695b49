#ifndef ASSAY_RUNNER_SUITE_JSONPATH_REGEX_H_
#define ASSAY_RUNNER_SUITE_JSONPATH_REGEX_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace assay::suite::jsonpath {

// I-Regexp (RFC 9485) as RE2 reads it: a dot outside of a character class does
// not match a line break.
std::string ToRe2(std::string_view iregexp);

// Compiled patterns of one evaluation. Patterns may come from the document, so
// that few are kept.
class RegexCache {
 public:
  RegexCache();
  ~RegexCache();

  // Whether the pattern matches the whole text, or a part of it. A pattern
  // that is not one matches nothing. `on_compile` is called first.
  bool Matches(const std::string& pattern, const std::string& text, bool whole,
               const std::function<void()>& on_compile);

 private:
  std::map<std::string, std::unique_ptr<re2::RE2>> compiled_;
};

}  // namespace assay::suite::jsonpath

#endif  // ASSAY_RUNNER_SUITE_JSONPATH_REGEX_H_
