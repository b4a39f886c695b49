#ifndef ASSAY_RUNNER_WIRES_EGRESS_LIST_H_
#define ASSAY_RUNNER_WIRES_EGRESS_LIST_H_

#include <vector>

#include "assay/plan/v1/plan.pb.h"
#include "sandbox/egress/destination.h"

namespace assay::wires {

// What a plan's build may reach, in the plan's order: worker and run both make
// the list, and speak of positions in it.
//
// kInvalidArgument for a host that no name or address can be.
Expected<std::vector<sandbox::Destination>> EgressList(
    const assay::plan::v1::Environment& environment);

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_EGRESS_LIST_H_
