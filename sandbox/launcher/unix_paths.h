#ifndef ASSAY_SANDBOX_LAUNCHER_UNIX_PATHS_H_
#define ASSAY_SANDBOX_LAUNCHER_UNIX_PATHS_H_

#include <string>

#include "sandbox/cell/unique_fd.h"

namespace assay::sandbox {

// Unix sockets by a path of a cell, for the launcher, which stands outside.
// Whoever runs in the cell writes there: no link is followed, and the path has
// to lead to the cell's own /tmp or /dev/shm, so that no socket of the host's
// in a folder that the cell is shown is reached with our rights.
//
// `root`: the cell's root file system. `socket`: AF_UNIX, unused. False with
// errno: EACCES outside of those places, ELOOP for a link.
bool ConnectInCell(int root, const std::string& path, int socket);
// Anybody in the cell may connect. EADDRINUSE if something has the name.
bool ListenInCell(int root, const std::string& path, int socket);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_LAUNCHER_UNIX_PATHS_H_
