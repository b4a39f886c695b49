#ifndef ASSAY_SANDBOX_CELL_MESSAGE_SOCKET_H_
#define ASSAY_SANDBOX_CELL_MESSAGE_SOCKET_H_

#include <cstddef>
#include <span>
#include <vector>

#include "sandbox/cell/unique_fd.h"

namespace assay::sandbox {

enum class ReceiveResult { kMessage, kClosed, kNothingYet, kMalformed };

// Sends `size` bytes as one record with `fds` attached (at most 250). False
// with errno set when the socket does not take it.
bool SendRecord(int socket, const void* data, std::size_t size,
                std::span<const int> fds = {});

// Receives one record of exactly `size` bytes, and its descriptors
// (close-on-exec). A record of another size or with more than `max_fds`
// descriptors is kMalformed; whatever came with it is closed.
ReceiveResult ReceiveRecord(int socket, void* data, std::size_t size,
                            std::vector<UniqueFd>& fds, int max_fds);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_CELL_MESSAGE_SOCKET_H_
