#include "services/git_http/pre_receive_hook.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace assay::git_http {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kScript =
    "#!/bin/sh\n"
    "printf '%s\\n' \"$GIT_QUARANTINE_PATH\" >&3\n"
    "read -r word <&4\n"
    "[ \"$word\" = go ]\n";

Status WriteScript(const fs::path& path) {
  const int fd =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
  if (fd < 0) return SystemError("create " + path.string(), errno);
  const ssize_t written = ::write(fd, kScript.data(), kScript.size());
  const int error = errno;
  ::close(fd);
  if (written != static_cast<ssize_t>(kScript.size()))
    return SystemError("write " + path.string(), error);
  return {};
}

}  // namespace

Status InstallHook(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return SystemError("make " + directory.string(), error.value());
  const fs::path draft = directory / "draft";
  const fs::path hook = directory / "pre-receive";
  ASSAY_RETURN_IF_ERROR(WriteScript(draft));
  fs::rename(draft, hook, error);
  if (error) return SystemError("keep " + hook.string(), error.value());
  if (::access(hook.c_str(), X_OK) != 0)
    return FailedPrecondition(
        "programs cannot be run from ", directory.string(),
        " (mounted noexec?), where git asks before it moves a branch: put the "
        "data directory elsewhere");
  return {};
}

}  // namespace assay::git_http
