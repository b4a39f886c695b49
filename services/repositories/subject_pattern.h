#ifndef ASSAY_SERVICES_REPOSITORIES_SUBJECT_PATTERN_H_
#define ASSAY_SERVICES_REPOSITORIES_SUBJECT_PATTERN_H_

#include <memory>
#include <string>
#include <string_view>

#include "proto/base/error.h"

namespace re2 {
class RE2;
}  // namespace re2

namespace assay::repositories {

// An author's rule for the first line of commits' messages: an RE2 pattern, so
// that the time it takes is linear in what a candidate writes.
class SubjectPattern {
 public:
  // Empty text makes a rule that everything follows.
  // Errors: kInvalidArgument, for the author.
  static Expected<SubjectPattern> Compile(const std::string& text);

  SubjectPattern();
  SubjectPattern(SubjectPattern&&) noexcept;
  SubjectPattern& operator=(SubjectPattern&&) noexcept;
  ~SubjectPattern();

  // Judges the first line of `message`.
  // Errors: kInvalidArgument, for the candidate.
  Status Check(std::string_view message) const;

 private:
  std::unique_ptr<re2::RE2> pattern_;
};

}  // namespace assay::repositories

#endif  // ASSAY_SERVICES_REPOSITORIES_SUBJECT_PATTERN_H_
