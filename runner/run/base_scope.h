#ifndef ASSAY_RUNNER_RUN_BASE_SCOPE_H_
#define ASSAY_RUNNER_RUN_BASE_SCOPE_H_

#include "assay/runner/v1/run_input.pb.h"
#include "runner/suite/template.h"

namespace assay::run {

// What templates may refer to before any step has run: secrets, ports,
// services, sidecars, upstreams, the run, and generated values.
suite::Scope BaseScope(const assay::runner::v1::RunInput& input);

}  // namespace assay::run

#endif  // ASSAY_RUNNER_RUN_BASE_SCOPE_H_
