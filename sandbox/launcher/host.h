#ifndef ASSAY_SANDBOX_LAUNCHER_HOST_H_
#define ASSAY_SANDBOX_LAUNCHER_HOST_H_

#include <cstdint>

#include "sandbox/launcher/cgroup_tree.h"
#include "sandbox/launcher/event_loop.h"
#include "sandbox/launcher/identity.h"
#include "sandbox/rootfs/staging.h"

namespace assay::sandbox {

// What the launcher has of this machine, shared by all cells.
struct Host {
  EventLoop loop;
  Identity identity;
  Staging staging;
  CgroupTree cgroups;
  // The launcher's own network namespace, to come back to.
  UniqueFd own_network;
  // The same of its pid namespace; empty where it may not come back.
  UniqueFd own_pids;
  // Cells that stand and nobody has asked for yet, of all sessions.
  int cells_ahead = 0;
  // Processes that wait for somebody to ask for them, in all cells.
  int processes_ahead = 0;
  // Weakness bits of the machine.
  std::uint32_t weaker = 0;

  // Enters the namespaces and takes the privileges that the launcher works
  // with, in the order that they need each other.
  static Expected<Host> Take(uid_t worker_uid, gid_t worker_gid,
                             const CgroupTree::Use& use = {});
};

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_LAUNCHER_HOST_H_
