#include "runner/materialise/pack_index.h"

#include <unistd.h>

#include <cerrno>
#include <vector>

namespace assay::materialise {
namespace {

struct Progress {
  std::int64_t limit;
  std::int64_t objects = 0;
};

int StopAtLimit(const git_indexer_progress* stats, void* payload) {
  auto* progress = static_cast<Progress*>(payload);
  progress->objects = stats->total_objects;
  return progress->objects > progress->limit ? GIT_EUSER : 0;
}

std::unexpected<Error> IndexError(const Progress& progress) {
  if (progress.objects > progress.limit)
    return ResourceExhausted("the commit has ", progress.objects,
                             " git objects, the limit is ", progress.limit);
  const git_error* last = git_error_last();
  if (last != nullptr && last->klass == GIT_ERROR_OS)
    return GitError(Code::kUnavailable, "the pack could not be indexed");
  return GitError(Code::kDataLoss, "the pack is damaged");
}

Status Feed(git_indexer* indexer, int pack_fd, const TreeLimits& limits,
            const Progress& progress) {
  std::vector<char> buffer(std::size_t{256} << 10);
  git_indexer_progress stats{};
  std::int64_t total = 0;
  while (true) {
    const ssize_t got = read(pack_fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError("read the pack", errno);
    if (got == 0) break;
    total += got;
    if (total > limits.pack_bytes)
      return ResourceExhausted("the commit's pack is over ", limits.pack_bytes,
                               " bytes");
    if (git_indexer_append(indexer, buffer.data(),
                           static_cast<std::size_t>(got), &stats) != 0)
      return IndexError(progress);
  }
  if (git_indexer_commit(indexer, &stats) != 0) return IndexError(progress);
  return {};
}

}  // namespace

Expected<GitRepository> OpenPack(int pack_fd, const std::string& scratch,
                                 const TreeLimits& limits) {
  Progress progress{.limit = limits.objects};
  git_indexer_options options = GIT_INDEXER_OPTIONS_INIT;
  options.progress_cb = StopAtLimit;
  options.progress_cb_payload = &progress;
  git_indexer* raw_indexer = nullptr;
  if (git_indexer_new(&raw_indexer, scratch.c_str(), 0600, nullptr, &options) !=
      0)
    return GitError(Code::kUnavailable, "cannot write in the scratch folder");
  const GitIndexer indexer(raw_indexer);
  ASSAY_RETURN_IF_ERROR(Feed(indexer.get(), pack_fd, limits, progress));

  const std::string index =
      scratch + "/pack-" + git_indexer_name(indexer.get()) + ".idx";
  git_odb* raw_odb = nullptr;
  git_odb_backend* backend = nullptr;
  git_repository* raw_repository = nullptr;
  if (git_odb_new(&raw_odb) != 0)
    return GitError(Code::kInternal, "git_odb_new");
  const GitOdb odb(raw_odb);
  if (git_odb_backend_one_pack(&backend, index.c_str()) != 0 ||
      git_odb_add_backend(odb.get(), backend, 1) != 0)
    return GitError(Code::kDataLoss, "the indexed pack cannot be opened");
  if (git_repository_wrap_odb(&raw_repository, odb.get()) != 0)
    return GitError(Code::kInternal, "git_repository_wrap_odb");
  return GitRepository(raw_repository);
}

}  // namespace assay::materialise
