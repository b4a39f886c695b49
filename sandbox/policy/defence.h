#ifndef ASSAY_SANDBOX_POLICY_DEFENCE_H_
#define ASSAY_SANDBOX_POLICY_DEFENCE_H_

#include <cstdint>

namespace assay::sandbox {

// What keeps a program in its cell and inside its limits, one by one. Tests
// leave one out at a time, in a build of the launcher that only they have, to
// see that something notices; in the product all of them stand, and the
// question is answered by the compiler.
enum class Defence : std::uint8_t {
  kFilter,
  kNoNewPrivileges,
  kCapabilities,
  kBoundingSet,
  kUser,
  kStrictInit,
  kOrdinaryPriority,
  kNetworkNamespace,
  kIpcNamespace,
  kHostNameNamespace,
  kCgroupNamespace,
  kProcMasks,
  kHiddenProcesses,
  kOldRootGone,
  kReadOnlyRoot,
  kLandlock,
  kScratchBytes,
  kScratchInodes,
  kMemoryLimit,
  kMemoryKill,
  kPidsLimit,
  kCoresLimit,
  kOpenFilesLimit,
  kWallLimit,
  kCpuLimit,
  kTreeKill,
  kReadOnlyMounts,
  kFileSizeLimit,
  kOwnFolders,
};

#ifdef ASSAY_TEST_WITHOUT_DEFENCES
// Whether it is not among the names in the environment variable ASSAY_WITHOUT
// ("filter,landlock").
bool Stands(Defence defence);
#else
constexpr bool Stands(Defence) { return true; }
#endif

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_POLICY_DEFENCE_H_
