#include "sandbox/launcher/cpu_accounts.h"

#include <sched.h>

#include <chrono>

namespace assay::sandbox {
namespace {

constexpr int kMostProcessors = 16;

// Many programs may be close to their limits at a time.
constexpr std::chrono::microseconds kFresh{300};

}  // namespace

void SettleCpuAccounts() {
  static std::chrono::steady_clock::time_point settled;
  const auto now = std::chrono::steady_clock::now();
  if (now - settled < kFresh) return;
  settled = now;
  cpu_set_t ours;
  if (::sched_getaffinity(0, sizeof(ours), &ours) != 0) return;
  if (CPU_COUNT(&ours) > kMostProcessors) return;
  // Who ran on this one has been interrupted already.
  const int here = ::sched_getcpu();
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (cpu == here || !CPU_ISSET(cpu, &ours)) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    ::sched_setaffinity(0, sizeof(one), &one);
  }
  ::sched_setaffinity(0, sizeof(ours), &ours);
}

}  // namespace assay::sandbox
