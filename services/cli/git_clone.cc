#include "services/cli/git_clone.h"

#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <vector>

#include "services/cli/child.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

// `http://user:password@host/path`, as git's credential store keeps it.
std::string CredentialLine(const GitAccess& access) {
  std::string url = access.url;
  const auto scheme_end = url.find("://");
  if (scheme_end == std::string::npos) return "";
  return url.insert(scheme_end + 3,
                    access.username + ":" + access.password + "@");
}

Status WritePrivate(const fs::path& file, const std::string& text) {
  const mode_t before = umask(077);
  std::ofstream out(file, std::ios::trunc);
  out << text << '\n';
  out.close();
  umask(before);
  if (!out) return SystemError("write " + file.string(), errno);
  return {};
}

std::string StoreHelper(const fs::path& file) {
  return "credential.helper=store --file=\"" + file.string() + "\"";
}

}  // namespace

Expected<int> CloneRepository(const GitAccess& access, const fs::path& dir,
                              Quietness quietness) {
  const fs::path target = fs::absolute(dir);
  if (fs::exists(target) && !fs::is_empty(target)) {
    return InvalidArgument(dir.string(),
                           " is there already; say another folder");
  }
  const fs::path store = target / ".git" / "assay-credentials";
  const fs::path first = target.string() + ".assay-credentials";
  // As git would; where it cannot, writing says why.
  std::error_code unmade;
  fs::create_directories(target.parent_path(), unmade);
  ASSAY_RETURN_IF_ERROR(WritePrivate(first, CredentialLine(access)));
  std::vector<std::string> command = {
      "git",
      "-c",
      "credential.helper=",  // none of the person's own is asked
      "-c",
      StoreHelper(first),
      "-c",
      "credential.useHttpPath=true",
      "clone",
      "--config",
      "credential.useHttpPath=true",
      "--config",
      "credential.helper=",
      "--config",
      StoreHelper(store)};
  // Later pushes need it, too.
  if (!access.ca_file.empty())
    command.insert(command.end(),
                   {"--config", "http.sslCAInfo=" + access.ca_file});
  if (quietness == Quietness::kSayNothing) command.push_back("--quiet");
  for (const std::string& last :
       {std::string("--"), access.url, target.string()})
    command.push_back(last);
  const auto cloned = Start({.command = std::move(command),
                             .environment = {{"GIT_TERMINAL_PROMPT", "0"}}});
  const int exit_code = cloned ? Wait(*cloned) : 0;
  if (cloned && exit_code == 0) fs::rename(first, store);
  std::error_code ignored;
  fs::remove(first, ignored);
  if (!cloned) return std::unexpected(cloned.error());
  return exit_code;
}

}  // namespace assay::cli
