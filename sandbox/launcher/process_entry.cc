#include "sandbox/launcher/process_entry.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

#include "sandbox/cell/tree_archive.h"
#include "sandbox/policy/defence.h"
#include "sandbox/policy/write_fence.h"

namespace assay::sandbox {
namespace {

constexpr std::string_view kDefaultPath =
    "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

// Where the descriptors that survive the clean-up are put: the archive, or of
// one that waits the ways into its cgroups. What unpacks never waits.
constexpr int kFaultFd = 3;
constexpr int kArchiveFd = 4;
constexpr int kTasksFd = 4;

SetupFault Fault(SetupStep step) { return {step, errno}; }

// The kernel's memory killer shall take programs before the cell's pid 1. Only
// a preference, so failure is none.
void PreferAsVictim() {
  UniqueFd fd(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (fd && ::write(fd.get(), "1000", 4) != 4) return;
}

SetupFault JoinNamespaces(const CellNamespaces& cell) {
  if (!cell.Enter() ||
      (Stands(Defence::kCgroupNamespace) && ::unshare(CLONE_NEWCGROUP) != 0)) {
    return Fault(SetupStep::kNamespaces);
  }
  return {};
}

// One that waits to be wanted is not counted among the cell's until then.
bool JoinsLate(const ProcessEntryPlan& plan) {
  return plan.hold == Hold::kBeforeProgram;
}

SetupFault PlaceDescriptors(const ProcessEntryPlan& plan) {
  constexpr int kHigh = 64;
  std::vector<int> sources = {plan.stdin_fd, plan.stdout_fd, plan.stderr_fd,
                              plan.fault_fd};
  if (plan.archive_fd >= 0) sources.push_back(plan.archive_fd);
  if (JoinsLate(plan)) {
    sources.insert(sources.end(), plan.tasks.begin(), plan.tasks.end());
  }
  const int count = static_cast<int>(sources.size());
  // One that has a number of the targets' is taken out of the way first.
  for (int& fd : sources) {
    if (fd < count && (fd = ::fcntl(fd, F_DUPFD_CLOEXEC, kHigh)) < 0) {
      return Fault(SetupStep::kPipes);
    }
  }
  for (int target = 0; target < count; ++target) {
    // dup2 clears close-on-exec, as the first three need it.
    const int flags = target < kFaultFd ? 0 : O_CLOEXEC;
    if (::dup3(sources[static_cast<std::size_t>(target)], target, flags) < 0) {
      return Fault(SetupStep::kPipes);
    }
  }
  if (::syscall(SYS_close_range, static_cast<unsigned>(count), ~0u, 0u) != 0) {
    return Fault(SetupStep::kPipes);
  }
  return {};
}

// If nobody wants it any more, that is the end.
void WaitIf(bool held, int fault_fd) {
  char byte = 0;
  if (held && ::read(fault_fd, &byte, 1) != 1) ::_exit(1);
}

// By the descriptors that PlaceDescriptors has put there.
bool JoinFromPlaces(std::size_t count) {
  std::vector<int> tasks(count);
  std::iota(tasks.begin(), tasks.end(), kTasksFd);
  return CellCgroup::Join(tasks);
}

// `fault_fd` follows the descriptor to which faults go.
SetupFault SetUp(const ProcessEntryPlan& plan, int& fault_fd) {
  PreferAsVictim();
  if (!JoinsLate(plan) && !CellCgroup::Join(plan.tasks)) {
    return Fault(SetupStep::kCgroup);
  }
  WaitIf(plan.hold == Hold::kBeforeCell, fault_fd);
  SetupFault fault = JoinNamespaces(*plan.namespaces);
  if (fault.step != SetupStep::kNone) return fault;
  fault = PlaceDescriptors(plan);
  if (fault.step != SetupStep::kNone) return fault;
  fault_fd = kFaultFd;
  fault = LimitResources(plan.limits);
  if (fault.step == SetupStep::kNone) fault = BecomeCellUser(plan.drop_groups);
  if (fault.step != SetupStep::kNone) return fault;
  if (::setsid() < 0) return Fault(SetupStep::kIdentity);
  ::umask(022);
  fault = GiveUpPrivileges();
  if (fault.step != SetupStep::kNone) return fault;
  // Until then the old root may stand below one of the paths that follow.
  WaitIf(plan.hold == Hold::kBeforeCell, fault_fd);
  if (!plan.writable.empty() && !FenceWrites(plan.writable)) {
    return Fault(SetupStep::kWriteFence);
  }
  if (JoinsLate(plan)) {
    WaitIf(true, fault_fd);
    if (!JoinFromPlaces(plan.tasks.size())) return Fault(SetupStep::kCgroup);
  }
  if (::chdir(plan.spec->working_directory.c_str()) != 0) {
    return Fault(SetupStep::kWorkingDirectory);
  }
  return {};
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const auto& text : strings) {
    pointers.push_back(const_cast<char*>(text.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

std::string_view SearchPath(const std::vector<std::string>& environment) {
  for (const std::string_view line : environment) {
    if (line.starts_with("PATH=") && line.size() > 5) return line.substr(5);
  }
  return kDefaultPath;
}

// Tries the folders of the path in turn, as execvp does. A file that is there
// but cannot be executed is the more telling failure.
SetupFault Execute(const ProcessSpec& spec) {
  const auto arguments = Pointers(spec.arguments);
  const auto environment = Pointers(spec.environment);
  const std::string& program = spec.arguments[0];
  if (program.find('/') != std::string::npos) {
    ::execve(program.c_str(), arguments.data(), environment.data());
    return Fault(SetupStep::kExec);
  }
  int error = ENOENT;
  std::string_view path = SearchPath(spec.environment);
  while (true) {
    const auto colon = path.find(':');
    const std::string candidate =
        std::string(path.substr(0, colon)) + "/" + program;
    ::execve(candidate.c_str(), arguments.data(), environment.data());
    if (errno != ENOENT && errno != ENOTDIR) error = errno;
    if (colon == std::string_view::npos) break;
    path.remove_prefix(colon + 1);
  }
  errno = error;
  return Fault(SetupStep::kExec);
}

[[noreturn]] void Unpack(const UnpackAction& action) {
  const UniqueFd directory(
      ::open(action.directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  // From here on what goes wrong is an ordinary exit code.
  ::close(kFaultFd);
  const Status status =
      directory ? UnpackTreeArchive(kArchiveFd, directory.get())
                : Status(SystemError("open " + action.directory, errno));
  if (status) ::_exit(0);
  ::dprintf(STDERR_FILENO, "unpack: %s\n", status.error().message.c_str());
  ::_exit(1);
}

}  // namespace

[[noreturn]] void RunProcessEntry(const ProcessEntryPlan& plan) {
  ::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  int fault_fd = plan.fault_fd;
  SetupFault fault = SetUp(plan, fault_fd);
  if (fault.step == SetupStep::kNone) {
    if (plan.spec->unpack) Unpack(*plan.spec->unpack);
    fault = Execute(*plan.spec);
  }
  // Nobody left to tell if this fails.
  if (::write(fault_fd, &fault, sizeof(fault)) < 0) ::_exit(2);
  ::_exit(1);
}

}  // namespace assay::sandbox
