#ifndef ASSAY_TESTS_BENCH_SANDBOX_LIMITS_BENCH_H_
#define ASSAY_TESTS_BENCH_SANDBOX_LIMITS_BENCH_H_

#include <string>

#include "sandbox/cell/launcher.h"

namespace assay::bench {

// Rows about ends and limits: killing forkers, lateness of time limits, counts
// of memory, work inside and outside a cell. `tests` is the folder of the built
// test programs.
void MeasureLimits(sandbox::Launcher& launcher, const std::string& tests,
                   int rounds);

}  // namespace assay::bench

#endif  // ASSAY_TESTS_BENCH_SANDBOX_LIMITS_BENCH_H_
