#include "sandbox/policy/confinement.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "sandbox/policy/defence.h"
#include "sandbox/policy/filter.h"

namespace assay::sandbox {
namespace {

SetupFault Fault(SetupStep step) { return SetupFault{step, errno}; }

bool LowerLimit(int resource, std::uint64_t value) {
  rlimit now;
  const auto which = static_cast<__rlimit_resource_t>(resource);
  if (::getrlimit(which, &now) != 0) return false;
  const rlim_t wanted = std::min<rlim_t>(value, now.rlim_max);
  const rlimit next = {wanted, wanted};
  return ::setrlimit(which, &next) == 0;
}

}  // namespace

SetupFault LimitResources(std::span<const ResourceLimit> limits) {
  if (!LowerLimit(RLIMIT_CORE, 0) || !LowerLimit(RLIMIT_RTPRIO, 0)) {
    return Fault(SetupStep::kRlimit);
  }
  for (const auto& limit : limits) {
    if (!LowerLimit(limit.resource, limit.value)) {
      return Fault(SetupStep::kRlimit);
    }
  }
  return {};
}

SetupFault BecomeCellUser(bool drop_groups) {
  if (::prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) != 0) {
    return Fault(SetupStep::kIdentity);
  }
  if (drop_groups && ::syscall(SYS_setgroups, 0, nullptr) != 0) {
    return Fault(SetupStep::kIdentity);
  }
  if (!Stands(Defence::kUser)) return {};
  // Raw calls: the C library's versions signal other threads, of which there
  // are none.
  if (::syscall(SYS_setresgid, kCellUid, kCellUid, kCellUid) != 0 ||
      ::syscall(SYS_setresuid, kCellUid, kCellUid, kCellUid) != 0) {
    return Fault(SetupStep::kIdentity);
  }
  return {};
}

SetupFault GiveUpCapabilities() {
  // Before the capabilities go: from then on a neighbour of the same uid could
  // attach, if the process were not opaque.
  if (::prctl(PR_SET_DUMPABLE, 0) != 0) return Fault(SetupStep::kCapabilities);
  constexpr unsigned long kLocked =
      SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
      SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
      SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
  if (::prctl(PR_SET_SECUREBITS, kLocked) != 0 ||
      ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) {
    return Fault(SetupStep::kCapabilities);
  }
  const bool give_up = Stands(Defence::kCapabilities);
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[2] = {};
  if (give_up && ::syscall(SYS_capset, &header, none) != 0) {
    return Fault(SetupStep::kCapabilities);
  }
  if (Stands(Defence::kNoNewPrivileges) &&
      ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return Fault(SetupStep::kCapabilities);
  }
  return {};
}

SetupFault GiveUpPrivileges() {
  const sched_param ordinary = {};
  if (Stands(Defence::kOrdinaryPriority) &&
      ::sched_setscheduler(0, SCHED_OTHER, &ordinary) != 0) {
    return Fault(SetupStep::kCapabilities);
  }
  // EINVAL: the kernel has no more.
  unsigned long capability = 0;
  if (Stands(Defence::kBoundingSet)) {
    while (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) ++capability;
    if (errno != EINVAL) return Fault(SetupStep::kCapabilities);
  }
  // Else the filter would be refused later.
  const bool early = !Stands(Defence::kNoNewPrivileges);
  if (early && !InstallCellFilter()) return Fault(SetupStep::kSeccomp);
  if (auto fault = GiveUpCapabilities(); fault.step != SetupStep::kNone) {
    return fault;
  }
  if (!early && Stands(Defence::kFilter) && !InstallCellFilter()) {
    return Fault(SetupStep::kSeccomp);
  }
  return {};
}

}  // namespace assay::sandbox
