#include <sstream>

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

struct MountLines {
  std::ostream& out;
  void operator()(const VolumeMount& m) const {
    out << "  " << m.target << "  volume " << m.volume << "\n";
  }
  void operator()(const BindMount& m) const {
    out << "  " << m.target << "  " << m.source.path << ", "
        << (m.read_only ? "read-only" : "writable")
        << ", nosuid nodev, owned by the cell's user\n";
  }
  void operator()(const OverlayMount& m) const {
    out << "  " << m.target << "  overlay over " << m.lower.path << "\n";
  }
  void operator()(const TmpfsMount& m) const {
    out << "  " << m.target << "  tmpfs of " << m.bytes << " bytes and "
        << m.inodes << " inodes\n";
  }
};

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

void ExplainMounts(std::ostream& out, const RunOptions& options) {
  const CellSpec& cell = options.cell;
  out << "mounts\n";
  if (options.image) {
    out << "  /  overlay over the image " << options.image->layout << " "
        << options.image->tag << "; what is written shares the room of /tmp\n";
  } else if (const auto* root = std::get_if<DirectoryRoot>(&cell.root)) {
    out << "  /  overlay over " << root->path
        << "; what is written shares the room of /tmp\n";
  } else {
    out << "  /  tmpfs, read-only; /usr and the folders beside it of this "
           "machine, read-only\n"
        << "  /etc  a selection of this machine's and our own accounts, "
           "read-only\n";
  }
  out << "  /dev  null zero full random urandom, read-only\n"
      << "  /proc  of the cell, other users' processes hidden; kallsyms keys "
         "key-users timer_list cmdline empty\n"
      << "  /tmp /dev/shm  together " << Amount(cell.limits.scratch_bytes)
      << " bytes and " << Amount(cell.limits.scratch_inodes) << " inodes\n";
  for (const auto& mount : cell.mounts) std::visit(MountLines{out}, mount);
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
      << Amount(options.output_bytes) << "\n  core dumps off\n";
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
  ExplainMounts(out, options);
  ExplainLimits(out, options);
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
