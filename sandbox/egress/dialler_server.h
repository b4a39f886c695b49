#ifndef ASSAY_SANDBOX_EGRESS_DIALLER_SERVER_H_
#define ASSAY_SANDBOX_EGRESS_DIALLER_SERVER_H_

#include <chrono>
#include <vector>

#include "sandbox/cell/unique_fd.h"
#include "sandbox/egress/destination.h"

namespace assay::sandbox {

// For resolving and connecting, of each of a host's addresses and altogether.
inline constexpr std::chrono::seconds kConnectLimit{5};
inline constexpr std::chrono::seconds kDialLimit{15};

// Answers the calls of a Dialler at the other end of `socket` until it closes
// it. Each host is resolved anew, each address is checked and then connected to
// itself, so that a name which answers differently the second time gains
// nothing.
void ServeDialler(UniqueFd socket, std::vector<Destination> destinations);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_EGRESS_DIALLER_SERVER_H_
