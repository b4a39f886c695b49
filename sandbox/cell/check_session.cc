#include "sandbox/cell/blueprint.h"
#include "sandbox/cell/tree_archive.h"

namespace assay::sandbox {
namespace {

// Bounds that no real session comes near; they keep the launcher's tables
// small. Arguments and environment share the kernel's own limit of 128 KiB for
// one string.
constexpr std::size_t kMaxVolumes = 64;
constexpr std::size_t kMaxCells = 256;
constexpr std::size_t kMaxMounts = 64;
constexpr std::size_t kMaxProcesses = 1024;
constexpr std::size_t kMaxStrings = 4096;
constexpr std::size_t kMaxString = 128 * 1024 - 1;
constexpr std::int64_t kMaxBytes = std::int64_t{1} << 50;
// Added to a clock that counts nanoseconds since the machine's start.
constexpr std::chrono::hours kMaxTime{24 * 365 * 100};

Status CheckText(std::string_view what, std::string_view text) {
  if (text.size() > kMaxString) {
    return InvalidArgument(what, " is ", text.size(),
                           " bytes long, expected at most ", kMaxString);
  }
  if (text.find('\0') != std::string_view::npos) {
    return InvalidArgument(what, " holds a NUL byte");
  }
  return {};
}

Status CheckBetween(std::string_view what, std::int64_t value,
                    std::int64_t least, std::int64_t most) {
  if (value < least || value > most) {
    return InvalidArgument(what, " is ", value, ", expected ", least, " to ",
                           most);
  }
  return {};
}

// Absolute, without empty names, "." and "..": "/" alone is not a target.
Status CheckPath(std::string_view what, std::string_view path, bool root_too) {
  ASSAY_RETURN_IF_ERROR(CheckText(what, path));
  if (root_too && path == "/") return {};
  if (path.size() < 2 || path[0] != '/' || !IsTreePath(path.substr(1))) {
    return InvalidArgument(what, " is '", path,
                           "', expected an absolute path without '.', '..' and "
                           "repeated or trailing slashes");
  }
  return {};
}

Status CheckSource(const HostSource& source) {
  if (source.fd >= 0) return {};
  ASSAY_RETURN_IF_ERROR(CheckText("a mount's source", source.path));
  if (source.path.empty() || source.path[0] != '/') {
    return InvalidArgument("a mount's source is '", source.path,
                           "', expected a descriptor or an absolute path");
  }
  return {};
}

struct MountRules {
  std::size_t volumes;

  Status operator()(const VolumeMount& mount) const {
    if (mount.volume >= volumes) {
      return InvalidArgument("volume ", mount.volume,
                             " is mounted, but there "
                             "are only ",
                             volumes);
    }
    return CheckPath("a volume's target", mount.target, false);
  }
  Status operator()(const BindMount& mount) const {
    ASSAY_RETURN_IF_ERROR(CheckSource(mount.source));
    return CheckPath("a bind's target", mount.target, false);
  }
  Status operator()(const OverlayMount& mount) const {
    ASSAY_RETURN_IF_ERROR(CheckSource(mount.lower));
    ASSAY_RETURN_IF_ERROR(
        CheckBetween("an overlay's size", mount.bytes, 4096, kMaxBytes));
    ASSAY_RETURN_IF_ERROR(
        CheckBetween("an overlay's inodes", mount.inodes, 16, kMaxBytes));
    return CheckPath("an overlay's target", mount.target, false);
  }
  Status operator()(const TmpfsMount& mount) const {
    ASSAY_RETURN_IF_ERROR(
        CheckBetween("a tmpfs's size", mount.bytes, 4096, kMaxBytes));
    ASSAY_RETURN_IF_ERROR(
        CheckBetween("a tmpfs's inodes", mount.inodes, 16, kMaxBytes));
    return CheckPath("a tmpfs's target", mount.target, false);
  }
};

Status CheckProcess(const ProcessSpec& process) {
  ASSAY_RETURN_IF_ERROR(CheckText("a process's name", process.name));
  ASSAY_RETURN_IF_ERROR(
      CheckPath("the working directory", process.working_directory, true));
  for (const auto limit : {process.wall_limit, process.cpu_limit}) {
    if (limit.count() < 0 || limit > kMaxTime) {
      return InvalidArgument("a time limit of ", process.name,
                             " is negative or longer than a hundred years");
    }
  }
  if (process.arguments.size() + process.environment.size() > kMaxStrings) {
    return InvalidArgument(process.name, " has more than ", kMaxStrings,
                           " arguments and environment lines");
  }
  for (const auto& argument : process.arguments) {
    ASSAY_RETURN_IF_ERROR(CheckText("an argument", argument));
  }
  for (const auto& line : process.environment) {
    ASSAY_RETURN_IF_ERROR(CheckText("an environment line", line));
    if (line.find('=') == std::string::npos) {
      return InvalidArgument("the environment line '", line,
                             "' is not of the form NAME=VALUE");
    }
  }
  if (process.unpack) {
    if (process.unpack->archive_fd < 0) {
      return InvalidArgument("the unpack action of ", process.name,
                             " has no archive");
    }
    return CheckPath("the unpack directory", process.unpack->directory, true);
  }
  if (process.arguments.empty() || process.arguments[0].empty()) {
    return InvalidArgument("the process ", process.name, " has no program");
  }
  return {};
}

Status CheckLimits(const Limits& limits) {
  ASSAY_RETURN_IF_ERROR(
      CheckBetween("the memory limit", limits.memory_bytes, 0, kMaxBytes));
  ASSAY_RETURN_IF_ERROR(
      CheckBetween("the pids limit", limits.pids, 0, 4 << 20));
  ASSAY_RETURN_IF_ERROR(
      CheckBetween("the scratch size", limits.scratch_bytes, 0, kMaxBytes));
  ASSAY_RETURN_IF_ERROR(
      CheckBetween("the scratch inodes", limits.scratch_inodes, 0, kMaxBytes));
  ASSAY_RETURN_IF_ERROR(
      CheckBetween("the open files limit", limits.open_files, 0, 1 << 20));
  ASSAY_RETURN_IF_ERROR(
      CheckBetween("the file size limit", limits.file_bytes, 0, kMaxBytes));
  ASSAY_RETURN_IF_ERROR(CheckBetween("the disk rate limit",
                                     limits.io_bytes_per_second, 0, kMaxBytes));
  if (!(limits.cores >= 0 && limits.cores <= 4096)) {
    return InvalidArgument("the cores limit is ", limits.cores,
                           ", expected 0 to 4096");
  }
  return {};
}

Status CheckCell(const CellSpec& cell, std::size_t volumes) {
  ASSAY_RETURN_IF_ERROR(CheckText("a cell's name", cell.name));
  ASSAY_RETURN_IF_ERROR(CheckText("the host name", cell.hostname));
  if (cell.hostname.empty() || cell.hostname.size() > 64) {
    return InvalidArgument("the host name of ", cell.name,
                           " is empty or longer than 64 bytes");
  }
  if (const auto* root = std::get_if<DirectoryRoot>(&cell.root)) {
    ASSAY_RETURN_IF_ERROR(CheckPath("the root directory", root->path, false));
  }
  if (cell.mounts.size() > kMaxMounts ||
      cell.processes.size() > kMaxProcesses) {
    return InvalidArgument("the cell ", cell.name, " has more than ",
                           kMaxMounts, " mounts or ", kMaxProcesses,
                           " processes");
  }
  ASSAY_RETURN_IF_ERROR(CheckLimits(cell.limits));
  for (const auto& mount : cell.mounts) {
    ASSAY_RETURN_IF_ERROR(std::visit(MountRules{volumes}, mount));
  }
  for (const auto& process : cell.processes) {
    ASSAY_RETURN_IF_ERROR(CheckProcess(process));
  }
  return {};
}

}  // namespace

Status CheckSession(const SessionSpec& spec) {
  if (spec.volumes.size() > kMaxVolumes || spec.cells.size() > kMaxCells) {
    return InvalidArgument("the session has more than ", kMaxVolumes,
                           " volumes or ", kMaxCells, " cells");
  }
  for (const auto& volume : spec.volumes) {
    ASSAY_RETURN_IF_ERROR(
        CheckBetween("a volume's size", volume.bytes, 4096, kMaxBytes));
    ASSAY_RETURN_IF_ERROR(
        CheckBetween("a volume's inodes", volume.inodes, 16, kMaxBytes));
  }
  for (const auto& cell : spec.cells) {
    if (auto status = CheckCell(cell, spec.volumes.size()); !status) {
      return std::unexpected(status.error().Within("cell " + cell.name));
    }
  }
  return {};
}

}  // namespace assay::sandbox
