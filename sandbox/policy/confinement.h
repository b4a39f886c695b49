#ifndef ASSAY_SANDBOX_POLICY_CONFINEMENT_H_
#define ASSAY_SANDBOX_POLICY_CONFINEMENT_H_

#include <cstdint>
#include <span>

#include "sandbox/cell/termination.h"

// The last steps of a child before it runs code that is not ours. Called in a
// freshly cloned child, in this order; each returns the fault that stopped it
// (step kNone: none), and the child must not go on after one.
namespace assay::sandbox {

// The user that programs in a cell see themselves as.
inline constexpr std::uint32_t kCellUid = 1000;

struct ResourceLimit {
  // RLIMIT_*.
  int resource;
  std::uint64_t value;
};

// Lowers limits, soft and hard; never raises one. Core dumps and real-time
// priorities are always off.
SetupFault LimitResources(std::span<const ResourceLimit> limits);

// Becomes the cell's user (in the current user namespace) without losing
// capabilities yet. `drop_groups`: also the supplementary groups.
SetupFault BecomeCellUser(bool drop_groups);

// Gives all capabilities up for good, sets no_new_privs, and makes the process
// opaque to its neighbours until it executes something.
SetupFault GiveUpCapabilities();

// The same; takes ordinary priority before, empties the bounding set, which
// only programs need (one call for each capability), and installs the filter.
SetupFault GiveUpPrivileges();

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_POLICY_CONFINEMENT_H_
