#ifndef ASSAY_RUNNER_RUN_DISTURBED_SERVICES_H_
#define ASSAY_RUNNER_RUN_DISTURBED_SERVICES_H_

#include <set>
#include <string>

#include "assay/plan/v1/plan.pb.h"

namespace assay::run {

// The services whose wires a `fault` of the plan disturbs: those need a wire in
// front of them, which costs every request a few microseconds, so that others
// go without. Faults of processes (kill, pause) do not count.
std::set<std::string> DisturbedServices(const assay::plan::v1::Plan& plan);

}  // namespace assay::run

#endif  // ASSAY_RUNNER_RUN_DISTURBED_SERVICES_H_
