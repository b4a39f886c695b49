#ifndef ASSAY_SERVICES_COORDINATOR_EXIT_CODES_H_
#define ASSAY_SERVICES_COORDINATOR_EXIT_CODES_H_

namespace assay::coordinator {

// EX_SOFTWARE: what a supervisor sees when the server gave up on itself.
inline constexpr int kDeafExitCode = 70;

}  // namespace assay::coordinator

#endif  // ASSAY_SERVICES_COORDINATOR_EXIT_CODES_H_
