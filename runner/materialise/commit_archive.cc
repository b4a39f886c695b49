#include "runner/materialise/commit_archive.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

#include "runner/materialise/pack_child.h"
#include "runner/materialise/sealed_file.h"

namespace assay::materialise {
namespace {

using sandbox::UniqueFd;
using std::chrono::steady_clock;

// A folder of one child's own, removed with everything in it.
class Scratch {
 public:
  static Expected<Scratch> Make(const std::string& parent) {
    std::error_code failed;
    std::filesystem::create_directories(parent, failed);
    std::string path = parent + "/commit-XXXXXX";
    if (mkdtemp(path.data()) == nullptr)
      return SystemError("make a folder in " + parent, errno);
    Scratch scratch(path);
    if (geteuid() == 0 && chown(path.c_str(), kNobody, kNobody) != 0)
      return SystemError("chown " + path, errno);
    return scratch;
  }
  Scratch(Scratch&& other) noexcept : path_(std::move(other.path_)) {
    other.path_.clear();
  }
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  explicit Scratch(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// A copy above the numbers that the child expects, so that dup2 onto one of
// those cannot close another.
Expected<UniqueFd> High(int fd) {
  UniqueFd high(fcntl(fd, F_DUPFD_CLOEXEC, 16));
  if (!high) return SystemError("duplicate a descriptor", errno);
  return high;
}

Expected<pid_t> Spawn(const CommitSource& source, const TreeLimits& limits,
                      const std::string& scratch, int archive_fd,
                      int report_fd) {
  ASSAY_ASSIGN_OR_RETURN(const UniqueFd pack, High(source.pack_fd));
  ASSAY_ASSIGN_OR_RETURN(const UniqueFd archive, High(archive_fd));
  ASSAY_ASSIGN_OR_RETURN(const UniqueFd report, High(report_fd));
  std::vector<std::string> text = PackChildArguments(source.commit, limits);
  text.insert(text.begin(), "assay-unpack");
  std::vector<char*> arguments;
  for (std::string& argument : text) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  char* environment[] = {nullptr};

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&actions, 0, 1);
  posix_spawn_file_actions_adddup2(&actions, pack.get(), kPackFd);
  posix_spawn_file_actions_adddup2(&actions, archive.get(), kArchiveFd);
  posix_spawn_file_actions_adddup2(&actions, report.get(), kReportFd);
  posix_spawn_file_actions_addchdir_np(&actions, scratch.c_str());
  // The worker's threads block the signals that it waits for; the child must
  // not.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t pid = -1;
  const int failed = posix_spawn(&pid, source.program.c_str(), &actions,
                                 &attributes, arguments.data(), environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return SystemError("start " + source.program, failed);
  return pid;
}

// What the child says until it ends, at most `limit` from now.
Expected<std::string> ReadReport(int fd, std::chrono::seconds limit) {
  const auto end = steady_clock::now() + limit;
  std::string report;
  while (report.size() < 4096) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - steady_clock::now());
    pollfd ready{fd, POLLIN, 0};
    const int count =
        poll(&ready, 1, static_cast<int>(std::max(left.count(), 0L)));
    if (count < 0 && errno == EINTR) continue;
    if (count == 0)
      return Fail(Code::kDeadlineExceeded, "unpacking the commit took over ",
                  limit.count(), " seconds");
    char buffer[1024];
    const ssize_t got = read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError("read the unpacking child's report", errno);
    if (got == 0) break;
    report.append(buffer, static_cast<std::size_t>(got));
  }
  return report;
}

Status Judge(int status, const std::string& report, const TreeLimits& limits) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
    return ResourceExhausted("unpacking the commit takes more than ",
                             limits.cpu_seconds,
                             " seconds of processor time, the limit");
  if (WIFSIGNALED(status))
    return Internal("the child that unpacks the commit was killed by signal ",
                    WTERMSIG(status));
  int code = 0;
  const char* end = report.data() + report.size();
  const auto parsed = std::from_chars(report.data(), end, code);
  if (parsed.ec != std::errc() || parsed.ptr == end || code < 1 || code > 16)
    return Internal("the child that unpacks the commit exited with code ",
                    WEXITSTATUS(status), " and no report");
  return Fail(static_cast<Code>(code), std::string(parsed.ptr + 1, end));
}

Expected<UniqueFd> Archive(const CommitSource& source, const TreeLimits& limits,
                           const Scratch& scratch,
                           std::optional<Status>& judged) {
  ASSAY_ASSIGN_OR_RETURN(UniqueFd archive, MakeMemoryFile("assay-tree"));
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return SystemError("pipe2", errno);
  const UniqueFd report_read(ends[0]);
  UniqueFd report_write(ends[1]);
  ASSAY_ASSIGN_OR_RETURN(
      const pid_t pid,
      Spawn(source, limits, scratch.path(), archive.get(), report_write.get()));
  report_write.Reset();
  // Reading and writing the disk is not processor time.
  const std::chrono::seconds wall(2 * limits.cpu_seconds + 30);
  const Expected<std::string> report = ReadReport(report_read.get(), wall);
  if (!report) kill(pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!report) return std::unexpected(report.error());
  judged = Judge(status, *report, limits);
  ASSAY_RETURN_IF_ERROR(Seal(archive.get()));
  if (lseek(archive.get(), 0, SEEK_SET) != 0)
    return SystemError("rewind the tree archive", errno);
  return archive;
}

}  // namespace

Expected<UniqueFd> ArchiveCommit(const CommitSource& source,
                                 const TreeLimits& limits) {
  std::optional<Status> judged;
  const Expected<Scratch> scratch = Scratch::Make(source.scratch);
  Expected<UniqueFd> archive = scratch
                                   ? Archive(source, limits, *scratch, judged)
                                   : std::unexpected(scratch.error());
  if (judged && !*judged) return std::unexpected(judged->error());
  // Our disk may be full too, and that must not look like the commit's fault.
  if (!archive && IsCommitsFault(archive.error()))
    archive = Unavailable(archive.error().message);
  return archive;
}

}  // namespace assay::materialise
