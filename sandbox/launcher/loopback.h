#ifndef ASSAY_SANDBOX_LAUNCHER_LOOPBACK_H_
#define ASSAY_SANDBOX_LAUNCHER_LOOPBACK_H_

namespace assay::sandbox {

// Brings `lo` of this network namespace up and makes the kernel acknowledge at
// once on it: servers that leave Nagle's algorithm on take 44 ms a request on
// loopback otherwise. Needs CAP_NET_ADMIN. False with errno if the interface
// cannot be brought up; the acknowledgements are best effort.
bool BringLoopbackUp();

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_LAUNCHER_LOOPBACK_H_
