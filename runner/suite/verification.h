#ifndef ASSAY_RUNNER_SUITE_VERIFICATION_H_
#define ASSAY_RUNNER_SUITE_VERIFICATION_H_

#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "assay/plan/v1/plan.pb.h"
#include "runner/suite/compiler.h"

namespace assay::suite {

// A solution whose score is known beforehand.
struct KnownSolution {
  enum class Kind { kReference, kTemplate, kVariant };

  Kind kind = Kind::kVariant;
  // "reference" and "template", or the variant's own.
  std::string id;
  std::string title;
  // The solution's folder; of a variant by patch or overlay the reference's.
  std::string folder;
  // At most one of both.
  std::string patch;
  std::string overlay;
  // Points that each check of the plan has to earn, by id.
  std::map<std::string, double> earns;
};

// verify.yaml: what `assay suite verify` holds a suite against.
struct Verification {
  // The reference first, then the template if there is one, then variants.
  std::vector<KnownSolution> solutions;
  // Checks that no variant loses points of: nothing shows that they can fail.
  std::vector<std::string> unguarded;
};

inline constexpr std::string_view kVerificationFile = "verify.yaml";

// Where the suite is, relative to verify.yaml; "suite" where it does not say.
// Errors: the text is not YAML.
std::expected<std::string, Diagnostics> SuiteFolderOf(std::string_view text);

// `files` are those beside verify.yaml, by path; contents do not matter.
// Errors: every mistake found, as for suites.
std::expected<Verification, Diagnostics> ParseVerification(
    std::string_view text, const Files& files, const plan::v1::Plan& plan);

// The most that a check earns.
double FullPoints(const plan::v1::Check& check);

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_VERIFICATION_H_
