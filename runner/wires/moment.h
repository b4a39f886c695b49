#ifndef ASSAY_RUNNER_WIRES_MOMENT_H_
#define ASSAY_RUNNER_WIRES_MOMENT_H_

#include <cstdint>

namespace assay::wires {

// When bytes came, and what the tap's owner wants to know about that moment
// later (which request was in flight).
struct Moment {
  std::uint64_t nanos = 0;
  std::uint64_t mark = 0;
};

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_MOMENT_H_
