#include <sstream>

#include "sandbox/cell/launcher.h"
#include "sandbox/launcher/live_cell.h"
#include "sandbox/main/run_command.h"
#include "sandbox/policy/filter.h"
#include "sandbox/policy/system_calls.h"
#include "sandbox/policy/write_fence.h"

namespace assay::sandbox {
namespace {

std::string Amount(std::int64_t value) {
  return value > 0 ? std::to_string(value) : "none";
}

std::string Time(std::chrono::nanoseconds time) {
  if (time.count() <= 0) return "none";
  std::ostringstream out;
  out << static_cast<double>(time.count()) / 1e6 << " ms";
  return out.str();
}

// Names separated by spaces, wrapped and indented.
void Wrap(std::ostream& out, std::string_view names) {
  constexpr std::size_t kWidth = 76;
  while (!names.empty()) {
    std::size_t end = names.size();
    if (end > kWidth) end = names.rfind(' ', kWidth);
    out << "    " << names.substr(0, end) << "\n";
    names.remove_prefix(end);
    if (!names.empty()) names.remove_prefix(1);
  }
}

void ExplainLimits(std::ostream& out, const RunOptions& options) {
  const CellSpec& cell = options.cell;
  const Limits& limits = cell.limits;
  const ProcessSpec& process = cell.processes[0];
  out << "limits\n  wall time " << Time(process.wall_limit) << "\n  CPU time "
      << Time(process.cpu_limit) << " (of everything the command starts)\n"
      << "  memory " << Amount(limits.memory_bytes) << " bytes, no swap\n"
      << "  processes and threads " << Amount(limits.pids) << "\n  cores "
      << limits.cores << " (0: all)\n  bytes a second from and to each disk "
      << Amount(limits.io_bytes_per_second) << "\n  open files "
      << Amount(limits.open_files) << "\n  file size "
      << Amount(limits.file_bytes)
      << "\n  bytes of standard output and of standard error "
      << Amount(options.output_bytes)
      << "\n  core dumps off, no real-time priority\n";
}

// Of the limits that were asked for.
void ExplainWeaknesses(std::ostream& out, const CellSpec& cell) {
  const CgroupTree cgroups = CgroupTree::Probe(
      {.single_cell = true, .io = cell.limits.io_bytes_per_second > 0});
  const std::uint32_t weaker =
      WeakerFor(cell, cgroups.weaker(), cgroups) & kLimitWeaknesses;
  if (weaker == 0) return;
  out << "not enforced by this host, and refused but with --allow-weaker\n";
  for (std::uint32_t bit = 1; bit <= kAllWeaknesses; bit <<= 1) {
    if ((weaker & bit) == 0) continue;
    out << "  " << WeaknessName(static_cast<Weakness>(bit)) << ": "
        << DescribeWeaknesses(bit)[0] << "\n";
  }
}

}  // namespace

std::string Explain(const RunOptions& options) {
  std::ostringstream out;
  out << "namespaces\n  user (uid and gid 1000 only), mount, pid, network ("
      << (options.cell.loopback ? "loopback only" : "nothing at all")
      << (options.egress.empty() ? "" : " and a proxy")
      << "), ipc, uts, cgroup\n";
  for (const auto& destination : options.egress) {
    out << "egress\n  " << FormatDestination(destination)
        << " through a proxy on 127.0.0.1:" << kProxyPort
        << (destination.private_addresses ? "" : ", public addresses only")
        << "\n";
  }
  out << ExplainMounts(options);
  ExplainLimits(out, options);
  ExplainWeaknesses(out, options.cell);
  out << "privileges\n  no capability in any set, no_new_privs, a session of "
         "its own, no descriptor but 0 1 2"
      << (HasWriteFence() ? "; Landlock behind the read-only mounts" : "")
      << "\n"
      << "system calls (filter of " << CellFilter().size()
      << " instructions)\n  allowed:\n";
  Wrap(out, kAllowed);
  out << "  allowed by argument:\n"
         "    socket of AF_UNIX, AF_INET, AF_INET6, AF_NETLINK for routes\n"
         "    socketpair of AF_UNIX; clone without new namespaces\n"
         "    ioctl but TIOCSTI and TIOCLINUX; personality of Linux\n"
         "  refused with EPERM:\n";
  Wrap(out, kRefused);
  out << "  all others, clone3 among them: ENOSYS; another architecture's: "
         "killed\n";
  return std::move(out).str();
}

}  // namespace assay::sandbox
