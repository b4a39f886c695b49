#ifndef ASSAY_SANDBOX_POLICY_FILTER_H_
#define ASSAY_SANDBOX_POLICY_FILTER_H_

#include <linux/filter.h>

#include <span>

namespace assay::sandbox {

// The seccomp program of every cell, compiled from compile_filter.cc.
std::span<const sock_filter> CellFilter();

// Installs it for this thread and what it starts; no_new_privs must be set.
// False with errno.
bool InstallCellFilter();

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_POLICY_FILTER_H_
