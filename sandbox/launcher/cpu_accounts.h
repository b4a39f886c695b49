#ifndef ASSAY_SANDBOX_LAUNCHER_CPU_ACCOUNTS_H_
#define ASSAY_SANDBOX_LAUNCHER_CPU_ACCOUNTS_H_

namespace assay::sandbox {

// Brings the CPU time that cgroups tell up to date. The kernel adds what a
// program uses when it stops running and at each tick, four milliseconds apart
// or more, so that of two programs on two processors eight can be missing.
//
// The caller runs for a moment on each of its processors, and whoever it
// interrupts there is accounted for. Its priority must be real-time, or it
// would wait its turn on each. Does nothing on machines of many processors,
// where that takes longer than what it finds.
void SettleCpuAccounts();

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_LAUNCHER_CPU_ACCOUNTS_H_
