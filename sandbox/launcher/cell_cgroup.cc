#include "sandbox/launcher/cell_cgroup.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>

#include "sandbox/launcher/cgroup_files.h"
#include "sandbox/policy/defence.h"

namespace assay::sandbox {
namespace {

constexpr std::int64_t kQuotaPeriodUs = 100'000;
constexpr std::size_t kMemory = static_cast<std::size_t>(Controller::kMemory);
constexpr std::size_t kCpu = static_cast<std::size_t>(Controller::kCpu);

std::string LeafName(std::uint32_t process) {
  return "p" + std::to_string(process);
}

// Our own pid 1 is not the program's business.
std::int64_t PidsWithInit(std::int32_t pids) { return std::int64_t{pids} + 1; }

std::int32_t WithoutInit(std::int64_t count) {
  return static_cast<std::int32_t>(count > 0 ? count - 1 : 0);
}

bool LimitLegacyMemory(int directory, std::int64_t bytes) {
  if (bytes <= 0) return true;
  if (!WriteSmallFile(directory, "memory.limit_in_bytes", bytes)) return false;
  // Absent on kernels without swap accounting, which then is no loss.
  WriteSmallFile(directory, "memory.memsw.limit_in_bytes", bytes);
  return true;
}

}  // namespace

bool CellCgroup::Create(const CgroupTree& tree, std::uint32_t id,
                        const Limits& limits) {
  tree_ = &tree;
  limits_ = limits;
  if (!Stands(Defence::kMemoryLimit)) limits_.memory_bytes = 0;
  if (!Stands(Defence::kPidsLimit)) limits_.pids = 0;
  if (!Stands(Defence::kCoresLimit)) limits_.cores = 0;
  name_ = "c" + std::to_string(id);
  if (tree.unified() < 0) return true;
  unified_ = MakeCellDirectory(tree.unified());
  return unified_ && SetUnifiedLimits();
}

bool CellCgroup::CreateLegacy() {
  for (const auto controller :
       {Controller::kMemory, Controller::kPids, Controller::kCpu}) {
    if (!CreateLegacy(controller)) return false;
  }
  SetQuota(true);
  return WatchMemory();
}

bool CellCgroup::LeavesOutUntilJoined() const {
  return unified_ && !tree_->UnifiedHas(Controller::kMemory) &&
         !tree_->UnifiedHas(Controller::kPids);
}

UniqueFd CellCgroup::MakeCellDirectory(int base) const {
  if (!tree_->single_cell()) return MakeDirectory(base, name_.c_str());
  return UniqueFd(::fcntl(base, F_DUPFD_CLOEXEC, 0));
}

bool CellCgroup::SetUnifiedLimits() {
  if (tree_->UnifiedHas(Controller::kMemory) && limits_.memory_bytes > 0) {
    // Not memory.oom.group: it would take the cell's pid 1 along, and a cell
    // stays usable when a program ran out of memory. The launcher kills the
    // rest as soon as the kernel has killed one (LiveCell::OnOom).
    if (!WriteSmallFile(unified_.get(), "memory.max", limits_.memory_bytes)) {
      return false;
    }
    WriteSmallFile(unified_.get(), "memory.swap.max", "0");
  }
  if (!SetDiskRate()) return false;
  return !tree_->UnifiedHas(Controller::kPids) || limits_.pids <= 0 ||
         WriteSmallFile(unified_.get(), "pids.max", PidsWithInit(limits_.pids));
}

bool CellCgroup::SetDiskRate() {
  if (!tree_->UnifiedHas(Controller::kIo) || limits_.io_bytes_per_second <= 0) {
    return true;
  }
  const std::string rate = std::to_string(limits_.io_bytes_per_second);
  for (const auto& disk : tree_->disks()) {
    const std::string line = disk + " rbps=" + rate + " wbps=" + rate;
    // Some are drives without a medium.
    if (!WriteSmallFile(unified_.get(), "io.max", line) && errno != ENODEV &&
        errno != ENXIO) {
      return false;
    }
  }
  return true;
}

bool CellCgroup::CreateLegacy(Controller controller) {
  const auto index = static_cast<std::size_t>(controller);
  const int base = tree_->Legacy(controller);
  if (base < 0) return true;
  // A hierarchy that limits nothing of this cell is left alone: each costs a
  // directory per cell and a write per process. Memory and pids are kept for
  // their counters.
  if (controller == Controller::kCpu && limits_.cores <= 0) return true;
  UniqueFd directory = MakeCellDirectory(base);
  if (!directory) return false;
  if (controller == Controller::kMemory &&
      !LimitLegacyMemory(directory.get(), limits_.memory_bytes)) {
    return false;
  }
  if (controller == Controller::kPids && limits_.pids > 0 &&
      !WriteSmallFile(directory.get(), "pids.max",
                      PidsWithInit(limits_.pids))) {
    return false;
  }
  legacy_tasks_[index].Reset(
      ::openat(directory.get(), "tasks", O_WRONLY | O_CLOEXEC));
  legacy_[index] = std::move(directory);
  return static_cast<bool>(legacy_tasks_[index]);
}

bool CellCgroup::WatchMemory() {
  if (legacy_[kMemory]) {
    const int directory = legacy_[kMemory].get();
    oom_event_.Reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    oom_control_.Reset(
        ::openat(directory, "memory.oom_control", O_RDONLY | O_CLOEXEC));
    if (!oom_event_ || !oom_control_) return false;
    return WriteSmallFile(directory, "cgroup.event_control",
                          std::to_string(oom_event_.get()) + " " +
                              std::to_string(oom_control_.get()));
  }
  if (tree_->UnifiedHas(Controller::kMemory)) {
    oom_event_.Reset(
        ::openat(unified_.get(), "memory.events", O_RDONLY | O_CLOEXEC));
    oom_is_priority_ = true;
    return static_cast<bool>(oom_event_);
  }
  return true;
}

std::int32_t CellCgroup::OomKills() const {
  std::optional<std::int64_t> kills;
  if (legacy_[kMemory]) {
    kills = ReadField(legacy_[kMemory].get(), "memory.oom_control", "oom_kill");
  } else if (oom_is_priority_) {
    kills = ReadField(unified_.get(), "memory.events", "oom_kill");
  }
  return static_cast<std::int32_t>(kills.value_or(0));
}

UniqueFd CellCgroup::MakeLeaf(std::uint32_t process) {
  if (!unified_) return UniqueFd();
  SetQuota(true);
  return MakeDirectory(unified_.get(), LeafName(process).c_str());
}

UniqueFd CellCgroup::LeafEvents(std::uint32_t process) const {
  const std::string name = LeafName(process) + "/cgroup.events";
  return UniqueFd(::openat(unified_.get(), name.c_str(), O_RDONLY | O_CLOEXEC));
}

bool CellCgroup::RemoveLeaf(std::uint32_t process) {
  if (!unified_) return true;
  return ::unlinkat(unified_.get(), LeafName(process).c_str(), AT_REMOVEDIR) ==
             0 ||
         errno == ENOENT;
}

bool CellCgroup::HasCpu() const {
  return (limits_.cores > 0 && tree_->Legacy(Controller::kCpu) >= 0) ||
         tree_->UnifiedHas(Controller::kCpu);
}

std::vector<int> CellCgroup::tasks() const {
  std::vector<int> fds;
  for (const auto& tasks : legacy_tasks_) {
    if (tasks) fds.push_back(tasks.get());
  }
  return fds;
}

bool CellCgroup::Join(std::span<const int> tasks) {
  for (const int fd : tasks) {
    // "0" is the writer itself, and "tasks" takes one thread.
    if (::write(fd, "0", 1) != 1) return false;
  }
  return true;
}

void CellCgroup::SetQuota(bool on) {
  if (limits_.cores <= 0 || on == quota_on_) return;
  quota_on_ = on;
  const auto quota = std::llround(limits_.cores * kQuotaPeriodUs);
  if (legacy_[kCpu]) {
    WriteSmallFile(legacy_[kCpu].get(), "cpu.cfs_quota_us", on ? quota : -1);
  } else if (unified_ && tree_->UnifiedHas(Controller::kCpu)) {
    WriteSmallFile(unified_.get(), "cpu.max",
                   (on ? std::to_string(quota) : std::string("max")) + " " +
                       std::to_string(kQuotaPeriodUs));
  }
}

int CellCgroup::Directory(Controller controller) const {
  const auto index = static_cast<std::size_t>(controller);
  return legacy_[index] ? legacy_[index].get() : unified_.get();
}

CellPeaks CellCgroup::Peaks() const {
  const bool old = static_cast<bool>(legacy_[kMemory]);
  const int memory = Directory(Controller::kMemory);
  const int pids = Directory(Controller::kPids);
  return {.memory_bytes = ReadNumber(memory, old ? "memory.max_usage_in_bytes"
                                                 : "memory.peak")
                              .value_or(0),
          .pids = WithoutInit(ReadNumber(pids, "pids.peak").value_or(0))};
}

CellStats CellCgroup::Stats() const {
  CellStats stats;
  stats.cpu = std::chrono::nanoseconds(LeafTimes(unified_.get()).total_ns);
  const bool old = static_cast<bool>(legacy_[kMemory]);
  stats.memory_bytes =
      ReadNumber(Directory(Controller::kMemory),
                 old ? "memory.usage_in_bytes" : "memory.current")
          .value_or(0);
  const CellPeaks peaks = Peaks();
  stats.memory_peak_bytes = peaks.memory_bytes;
  stats.pids_peak = peaks.pids;
  const int pids = Directory(Controller::kPids);
  stats.pids = WithoutInit(ReadNumber(pids, "pids.current").value_or(0));
  stats.oom_kills = OomKills();
  stats.pids_refused = static_cast<std::int32_t>(
      ReadField(pids, "pids.events", "max").value_or(0));
  return stats;
}

CpuTimes CellCgroup::LeafTimes(int leaf) {
  if (leaf < 0) return {};
  constexpr std::int64_t kNsPerUs = 1000;
  const std::string content = ReadSmallFile(leaf, "cpu.stat");
  const auto field = [&content](std::string_view key) {
    return FindField(content, key).value_or(0) * kNsPerUs;
  };
  return {.user_ns = field("user_usec"),
          .system_ns = field("system_usec"),
          .total_ns = field("usage_usec")};
}

bool CellCgroup::KillLeaf(int leaf) {
  if (leaf < 0) return false;
  SetQuota(false);
  return WriteSmallFile(leaf, "cgroup.kill", "1");
}

void CellCgroup::LiftQuota() { SetQuota(false); }

bool CellCgroup::KillAll() {
  if (!unified_) return false;
  SetQuota(false);
  return WriteSmallFile(unified_.get(), "cgroup.kill", "1");
}

bool CellCgroup::SetFrozen(bool frozen) {
  if (!unified_) {
    errno = EOPNOTSUPP;
    return false;
  }
  return WriteSmallFile(unified_.get(), "cgroup.freeze", frozen ? "1" : "0");
}

bool CellCgroup::Remove() {
  if (tree_->single_cell()) return tree_->Remove();
  bool gone = true;
  const auto remove = [&gone](int parent, const char* name) {
    if (::unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT) {
      gone = false;
    }
  };
  if (unified_) {
    remove(tree_->unified(), name_.c_str());
  }
  for (std::size_t i = 0; i < kControllers; ++i) {
    if (!legacy_[i]) continue;
    remove(tree_->Legacy(static_cast<Controller>(i)), name_.c_str());
  }
  return gone;
}

}  // namespace assay::sandbox
