#ifndef ASSAY_SANDBOX_CELL_SPEC_H_
#define ASSAY_SANDBOX_CELL_SPEC_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// What a session may build: plain data, written by the worker, read by the
// launcher. Nothing in here comes from candidates.
//
// In every cell the program runs as uid and gid 1000 ("app"), without
// capabilities, in its own user, mount, pid, network, ipc, uts and cgroup
// namespaces, with only a loopback interface. It sees:
//   /           read-only; /usr /bin /sbin /lib* of this machine (root `host`)
//   /etc        a small read-only selection of the host's, and our own passwd,
//               group, hosts (root `host`)
//   /dev        null zero full random urandom shm; no terminals
//   /proc       its own processes only, sensitive files masked; no /sys
//   /tmp        private and empty, shares `Limits::scratch_bytes` with /dev/shm
//               and with what is written to a DirectoryRoot
//   and the mounts below.
namespace assay::sandbox {

// Read-only /usr, /lib* and friends of this machine.
struct HostRoot {};

// A directory of this machine that holds a whole root file system. The cell may
// change all of it and changes nothing of the directory: what it writes lies in
// memory, within Limits::scratch_*, and vanishes with the cell. Files owned by
// the worker's user appear as owned by the cell's.
struct DirectoryRoot {
  std::string path;
};

using Root = std::variant<HostRoot, DirectoryRoot>;

// A tmpfs that belongs to the session: what one cell writes there, a later or
// concurrent one that mounts it too can read. Cells that share a volume run
// under the same outer uid; all others of the machine under different ones.
struct VolumeSpec {
  std::int64_t bytes = 256 << 20;
  std::int64_t inodes = 100'000;
};

// Mounts `SessionSpec::volumes[volume]`, writable, owned by the cell's user.
struct VolumeMount {
  std::uint32_t volume = 0;
  std::string target = "/work";
  bool read_only = false;
};

// Where a mounted host directory (or file) comes from: `fd`, a descriptor of
// it that stays open until CreateSession returns, or else `path`.
struct HostSource {
  std::string path;
  int fd = -1;
};

// What lets a cell change files of this machine: nothing but a line that names
// it does.
struct AllowHostWrites {};

// A directory or file of this machine, read-only unless that is given away.
// Files owned by the worker's user appear as owned by the cell's user, and what
// the cell creates ends up owned by the worker's; others' files appear as owned
// by nobody.
struct BindMount {
  HostSource source;
  std::string target;
  std::optional<AllowHostWrites> writable;
};

// A directory of this machine that the cell may change without changing it:
// changes go to a tmpfs of this size and vanish with the cell. Ownership as in
// BindMount.
struct OverlayMount {
  HostSource lower;
  std::string target;
  std::int64_t bytes = 256 << 20;
  std::int64_t inodes = 100'000;
};

// An empty tmpfs of the cell's own.
struct TmpfsMount {
  std::string target;
  std::int64_t bytes = 64 << 20;
  std::int64_t inodes = 10'000;
};

// Targets are absolute paths without `..`; missing ones are created.
using Mount = std::variant<VolumeMount, BindMount, OverlayMount, TmpfsMount>;

// Bounds of a cell, over all of its processes. 0: no bound of our own.
struct Limits {
  // RAM, including what the cell's tmpfs and sockets hold. No swap on top.
  std::int64_t memory_bytes = 512 << 20;
  // Processes and threads.
  std::int32_t pids = 256;
  // Share of the machine's processors: 1.5 is one and a half cores.
  double cores = 0;
  // Bytes a second that are read from a disk of the machine, and written to it.
  std::int64_t io_bytes_per_second = 0;
  // /tmp, /dev/shm and what is written to a DirectoryRoot, together.
  std::int64_t scratch_bytes = 64 << 20;
  std::int64_t scratch_inodes = 20'000;
  // Per process: open files, and the size of one file.
  std::int64_t open_files = 4096;
  std::int64_t file_bytes = 0;
};

// Instead of a program: reads a tree archive (tree_archive.h) from `archive_fd`
// (open until CreateSession returns; read from its start) and writes it below
// `directory`, as the cell's user and under the cell's limits. Exits 0, or 1
// with a sentence on stderr.
struct UnpackAction {
  int archive_fd = -1;
  std::string directory = "/work";
};

enum class Stdin : std::uint8_t { kNull, kPipe };

// One program that may be started in a cell, any number of times.
struct ProcessSpec {
  // For messages: "build", "service", "postgres".
  std::string name;
  // Program and arguments. A name without a slash is looked up in the PATH of
  // `environment`. Ignored with `unpack`.
  std::vector<std::string> arguments;
  // "K=V" lines; nothing is inherited. Empty PATH: the usual system folders.
  std::vector<std::string> environment;
  std::string working_directory = "/";
  Stdin stdin_kind = Stdin::kNull;
  // 0: none. Counted from the start; the process and everything it started are
  // killed when it is reached.
  std::chrono::nanoseconds wall_limit{0};
  // CPU time of the process and everything it started. 0: none.
  std::chrono::nanoseconds cpu_limit{0};
  std::optional<UnpackAction> unpack;
  // How often this process will be asked for in a cell, as far as is known. In
  // a standing cell the next one waits, with all done but the execution.
  std::uint32_t expected_starts = 0;
};

// A kind of cell that a session may start, by its position.
struct CellSpec {
  // For messages: "service:api".
  std::string name;
  Root root = HostRoot{};
  std::vector<Mount> mounts;
  Limits limits;
  std::vector<ProcessSpec> processes;
  std::string hostname = "cell";
  // Whether the loopback interface is up; without it there is no network at
  // all.
  bool loopback = true;
  // How often this cell will be asked for, as far as is known. So many are
  // built before they are asked for, a few at a time, when the launcher has
  // nothing else to do; each is used once, like any other.
  std::uint32_t expected_starts = 0;
};

// The blueprints of one session, fixed at its creation.
struct SessionSpec {
  std::vector<VolumeSpec> volumes;
  std::vector<CellSpec> cells;
};

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_CELL_SPEC_H_
