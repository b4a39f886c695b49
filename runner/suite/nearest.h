#ifndef ASSAY_RUNNER_SUITE_NEAREST_H_
#define ASSAY_RUNNER_SUITE_NEAREST_H_

#include <string>
#include <string_view>
#include <vector>

namespace assay::suite {

// The candidate that `word` was probably meant to be: at most a third of its
// letters away, swapped neighbours counting as one. Empty: none is near.
std::string Nearest(std::string_view word,
                    const std::vector<std::string>& candidates);

// `; did you mean "expect"?`, or nothing.
std::string DidYouMean(std::string_view word,
                       const std::vector<std::string>& candidates);

// "a, b and c"; "nothing" for none.
std::string JoinNames(const std::vector<std::string>& names,
                      std::string_view last = "and");

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_NEAREST_H_
