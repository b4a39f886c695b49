#include "runner/materialise/pack_child.h"

#include <git2.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "runner/materialise/commit_walk.h"
#include "runner/materialise/pack_index.h"
#include "sandbox/cell/tree_archive.h"

namespace assay::materialise {
namespace {

std::vector<std::int64_t*> Fields(TreeLimits& limits) {
  return {&limits.entries,      &limits.depth,      &limits.file_bytes,
          &limits.total_bytes,  &limits.objects,    &limits.pack_bytes,
          &limits.memory_bytes, &limits.cpu_seconds};
}

Status Limit(int resource, std::int64_t value) {
  const rlimit limit{static_cast<rlim_t>(value), static_cast<rlim_t>(value)};
  if (setrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0)
    return SystemError("setrlimit", errno);
  return {};
}

Status Confine(const TreeLimits& limits) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (close_range(kReportFd + 1, ~0U, 0) != 0)
    return SystemError("close_range", errno);
  ASSAY_RETURN_IF_ERROR(Limit(RLIMIT_CORE, 0));
  ASSAY_RETURN_IF_ERROR(Limit(RLIMIT_NOFILE, 64));
  ASSAY_RETURN_IF_ERROR(Limit(RLIMIT_CPU, limits.cpu_seconds));
  // Bounds the pack, its index and the archive, each by itself. Records and
  // paths come on top of the contents.
  constexpr std::int64_t kRecordBytes = 4'200;
  ASSAY_RETURN_IF_ERROR(
      Limit(RLIMIT_FSIZE,
            std::max(limits.pack_bytes,
                     limits.total_bytes + limits.entries * kRecordBytes)));
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
  // The sanitizers reserve terabytes of address space.
  ASSAY_RETURN_IF_ERROR(Limit(RLIMIT_AS, limits.memory_bytes));
#endif
  // A write over RLIMIT_FSIZE then fails with EFBIG, which says more.
  signal(SIGXFSZ, SIG_IGN);
  if (geteuid() == 0 && (setgroups(0, nullptr) != 0 ||
                         setresgid(kNobody, kNobody, kNobody) != 0 ||
                         setresuid(kNobody, kNobody, kNobody) != 0))
    return SystemError("become an ordinary user", errno);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return SystemError("no_new_privs", errno);
  return {};
}

void ConfigureGit() {
  git_libgit2_init();
  // Windows and caches that fit into the memory limit.
  git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, std::size_t{16} << 20);
  git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, std::size_t{128} << 20);
  git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, static_cast<ssize_t>(16) << 20);
  // Nobody reads the scratch folder after a crash.
  git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 0);
}

Status Unpack(const std::string& commit, const TreeLimits& limits) {
  ASSAY_RETURN_IF_ERROR(Confine(limits));
  ConfigureGit();
  ASSAY_ASSIGN_OR_RETURN(const GitRepository repository,
                         OpenPack(kPackFd, ".", limits));
  sandbox::TreeArchiveWriter archive(kArchiveFd);
  ASSAY_RETURN_IF_ERROR(WalkCommit(repository.get(), commit, limits, archive));
  return archive.Finish();
}

}  // namespace

std::vector<std::string> PackChildArguments(const std::string& commit,
                                            const TreeLimits& limits) {
  TreeLimits copy = limits;
  std::vector<std::string> arguments{commit};
  for (const std::int64_t* field : Fields(copy))
    arguments.push_back(std::to_string(*field));
  return arguments;
}

int RunPackChild(const std::vector<std::string>& arguments) {
  TreeLimits limits;
  const std::vector<std::int64_t*> fields = Fields(limits);
  Status status = InvalidArgument("expected a commit and ", fields.size(),
                                  " limits; this program is not for people");
  if (arguments.size() == fields.size() + 1) {
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const std::string& text = arguments[i + 1];
      std::from_chars(text.data(), text.data() + text.size(), *fields[i]);
    }
    status = Unpack(arguments[0], limits);
  }
  if (status) return 0;
  const std::string report =
      std::to_string(static_cast<int>(status.error().code)) + " " +
      status.error().message;
  return write(kReportFd, report.data(), report.size()) < 0 ? 2 : 1;
}

}  // namespace assay::materialise
