#ifndef ASSAY_SANDBOX_HOSTCHECK_HOST_CHECK_H_
#define ASSAY_SANDBOX_HOSTCHECK_HOST_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

namespace assay::sandbox {

enum class Standing : std::uint8_t {
  kOk,
  // Measurements will be less steady.
  kNoisy,
  // Something is enforced less well.
  kWeaker,
  // Cells cannot be built.
  kMissing,
};

struct Finding {
  Standing standing;
  // "user namespaces".
  std::string name;
  // What is there.
  std::string found;
  // What follows from it, and how to mend it; empty when all is well.
  std::string advice;
};

// Inspects this machine for what cells need, what makes them weaker, and what
// makes their times and counts unsteady. Builds nothing and changes nothing
// (but for a cgroup that is made and removed).
std::vector<Finding> CheckHost();

// "ok", "noisy", "weaker", "missing".
const char* StandingName(Standing standing);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_HOSTCHECK_HOST_CHECK_H_
