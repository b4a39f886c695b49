#include "services/repositories/subject_pattern.h"

#include <re2/re2.h>

#include <utility>

#include "proto/base/utf8.h"

namespace assay::repositories {
namespace {

constexpr std::size_t kMaxPattern = 200;
// What a pattern may be compiled to.
constexpr std::int64_t kMaxMemory = 1 << 20;
constexpr std::size_t kMaxSubject = 1'000;
constexpr std::size_t kShown = 60;

}  // namespace

SubjectPattern::SubjectPattern() = default;
SubjectPattern::SubjectPattern(SubjectPattern&&) noexcept = default;
SubjectPattern& SubjectPattern::operator=(SubjectPattern&&) noexcept = default;
SubjectPattern::~SubjectPattern() = default;

Expected<SubjectPattern> SubjectPattern::Compile(const std::string& text) {
  SubjectPattern subject;
  if (text.empty()) return subject;
  if (text.size() > kMaxPattern)
    return InvalidArgument("a pattern may have up to ", kMaxPattern,
                           " bytes, found ", text.size());
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxMemory);
  subject.pattern_ = std::make_unique<RE2>(text, options);
  if (!subject.pattern_->ok())
    return InvalidArgument("expected an RE2 pattern, found \"",
                           PresentableLine(text, kMaxPattern),
                           "\": ", subject.pattern_->error());
  return subject;
}

Status SubjectPattern::Check(std::string_view message) const {
  if (pattern_ == nullptr) return {};
  const std::string_view line = message.substr(0, message.find('\n'));
  if (line.size() > kMaxSubject)
    return InvalidArgument("its first line has ", line.size(),
                           " bytes, more than ", kMaxSubject);
  if (RE2::PartialMatch({line.data(), line.size()}, *pattern_)) return {};
  return InvalidArgument("\"", PresentableLine(line, kShown),
                         "\" does not match ", pattern_->pattern());
}

}  // namespace assay::repositories
