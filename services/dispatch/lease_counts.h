#ifndef ASSAY_SERVICES_DISPATCH_LEASE_COUNTS_H_
#define ASSAY_SERVICES_DISPATCH_LEASE_COUNTS_H_

#include <cstdint>

namespace assay::dispatch {

// What has happened to leases since the start of this process. Each that was
// granted ends in one of the others.
struct LeaseCounts {
  std::uint64_t granted = 0;
  // With a result of the run.
  std::uint64_t finished = 0;
  // With the worker's word that it was its own fault.
  std::uint64_t errored = 0;
  // Without a heartbeat in time.
  std::uint64_t expired = 0;
  // Given back by the worker, as its own fault or not.
  std::uint64_t handed_back = 0;
  // Taken back from here: the plan or the commit could not be read, the worker
  // was gone or never got it, or its report was none.
  std::uint64_t taken_back = 0;
  // Ended from here, past the run's own limits.
  std::uint64_t overdue = 0;
};

}  // namespace assay::dispatch

#endif  // ASSAY_SERVICES_DISPATCH_LEASE_COUNTS_H_
