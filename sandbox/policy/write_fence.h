#ifndef ASSAY_SANDBOX_POLICY_WRITE_FENCE_H_
#define ASSAY_SANDBOX_POLICY_WRITE_FENCE_H_

#include <span>
#include <string>

namespace assay::sandbox {

// A second fence behind the read-only mounts, where the kernel has Landlock
// (with renames: 5.19): this process and what it starts can change nothing but
// what lies below `writable` (absolute paths; one that is not there, or is a
// link, is left out). no_new_privs must be set. True if it stands or there is
// no such thing; false with errno otherwise.
bool FenceWrites(std::span<const std::string> writable);

// Whether the kernel has it.
bool HasWriteFence();

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_POLICY_WRITE_FENCE_H_
