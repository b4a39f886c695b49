#include "services/repositories/handles.h"

#include <cerrno>
#include <cstring>

namespace assay::repositories {
namespace {

Code CodeOf(int result, std::string_view message) {
  if (result == GIT_ENOTFOUND) return Code::kNotFound;
  if (result == GIT_EEXISTS) return Code::kAlreadyExists;
  if (result == GIT_EMISMATCH) return Code::kDataLoss;
  // libgit2 keeps no errno; the text is what is left of it.
  if (message.find(std::strerror(ENOSPC)) != std::string_view::npos ||
      message.find(std::strerror(EDQUOT)) != std::string_view::npos)
    return Code::kResourceExhausted;
  return Code::kInternal;
}

}  // namespace

std::unexpected<Error> GitError(std::string_view what, int result) {
  const git_error* error = git_error_last();
  const std::string message = error != nullptr && error->message != nullptr
                                  ? error->message
                                  : "no reason given";
  return Fail(CodeOf(result, message), what, ": ", message);
}

Expected<RepositoryHandle> OpenBare(const std::filesystem::path& path) {
  git_repository* repository = nullptr;
  const int result = git_repository_open_bare(&repository, path.c_str());
  if (result < 0)
    return GitError("open repository " + path.filename().string(), result);
  return RepositoryHandle(repository);
}

Expected<CommitHandle> LookupCommit(git_repository* repository,
                                    const std::string& hex) {
  ASSAY_ASSIGN_OR_RETURN(const git_oid oid, ParseOid(hex));
  git_object* raw = nullptr;
  git_object* commit = nullptr;
  if (git_object_lookup(&raw, repository, &oid, GIT_OBJECT_ANY) < 0)
    return NotFound("no commit ", hex, " in this repository");
  const ObjectHandle object(raw);
  if (git_object_peel(&commit, raw, GIT_OBJECT_COMMIT) < 0)
    return NotFound(hex, " is no commit");
  return CommitHandle(reinterpret_cast<git_commit*>(commit));
}

Expected<git_oid> ParseOid(std::string_view hex) {
  const bool well_formed =
      hex.size() == GIT_OID_HEXSZ &&
      hex.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  git_oid oid;
  if (!well_formed || git_oid_fromstrn(&oid, hex.data(), hex.size()) != 0)
    return InvalidArgument(
        "\"", hex.substr(0, 60),
        "\" is no commit: expected 40 lower-case hex digits");
  return oid;
}

std::string OidHex(const git_oid& oid) {
  std::string hex(GIT_OID_HEXSZ, '0');
  git_oid_fmt(hex.data(), &oid);
  return hex;
}

void StartLibgit2() {
  static const bool started = [] {
    git_libgit2_init();
    git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    for (const int level :
         {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM,
          GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL})
      git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
    // The default of 256 MiB is more than the whole program may take.
    git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, ssize_t{8} << 20);
    return true;
  }();
  static_cast<void>(started);
}

}  // namespace assay::repositories
