#include "services/repositories/fixed_refs.h"

#include <unistd.h>

#include <cerrno>

#include "proto/base/fault_point.h"
#include "proto/base/id.h"
#include "services/repositories/durable_files.h"
#include "services/repositories/handles.h"

namespace assay::repositories {
namespace {

namespace fs = std::filesystem;

// Whether `name` points at `commit` already. kAlreadyExists: at another.
Expected<bool> IsThere(git_repository* repository, const std::string& name,
                       const git_oid& commit) {
  git_oid present;
  if (git_reference_name_to_id(&present, repository, name.c_str()) < 0)
    return false;
  if (git_oid_equal(&present, &commit) == 1) return true;
  return AlreadyExists(name,
                       " points at another commit: submissions do not "
                       "change");
}

// Makes `link` from a file that is flushed already, so that nobody ever reads
// half of it. False: somebody tidied the file away, or was faster.
Expected<bool> Publish(const fs::path& repository, const fs::path& link,
                       const std::string& line) {
  const fs::path draft = repository / ("tmp_ref-" + RandomToken());
  ASSAY_RETURN_IF_ERROR(WriteNewFile(draft, line));
  ReachFaultPoint("ref.drafted");
  const bool linked = ::link(draft.c_str(), link.c_str()) == 0;
  const int error = errno;
  ::unlink(draft.c_str());
  if (linked) return true;
  if (error == ENOENT || error == EEXIST) return false;
  return SystemError("link " + link.string(), error);
}

}  // namespace

Expected<bool> HasFixedRef(git_repository* repository, const std::string& name,
                           const std::string& commit) {
  ASSAY_ASSIGN_OR_RETURN(const git_oid oid, ParseOid(commit));
  return IsThere(repository, name, oid);
}

Status WriteFixedRef(git_repository* repository, const fs::path& path,
                     const std::string& name, const std::string& commit) {
  ASSAY_ASSIGN_OR_RETURN(const git_oid oid, ParseOid(commit));
  git_commit* raw = nullptr;
  if (git_commit_lookup(&raw, repository, &oid) < 0)
    return NotFound("no commit ", commit, " in this repository");
  const CommitHandle handle(raw);
  const fs::path link = path / name;
  constexpr int kTries = 3;
  for (int i = 0; i < kTries; ++i) {
    ASSAY_ASSIGN_OR_RETURN(const bool there, IsThere(repository, name, oid));
    // Whoever linked it may have died before the flush.
    if (there) return SyncDirectory(link.parent_path());
    ASSAY_RETURN_IF_ERROR(MakeDirectory(link.parent_path()));
    ASSAY_ASSIGN_OR_RETURN(const bool linked,
                           Publish(path, link, commit + "\n"));
    if (!linked) continue;
    ReachFaultPoint("ref.linked");
    return SyncNames({link.parent_path().parent_path(), link.parent_path()});
  }
  return Unavailable(name, " could not be written");
}

}  // namespace assay::repositories
