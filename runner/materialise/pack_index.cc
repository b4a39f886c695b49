#include "runner/materialise/pack_index.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <vector>

namespace assay::materialise {
namespace {

std::unexpected<Error> IndexError() {
  const git_error* last = git_error_last();
  if (last != nullptr && last->klass == GIT_ERROR_OS)
    return GitError(Code::kUnavailable, "the pack could not be indexed");
  return GitError(Code::kDataLoss, "the pack is damaged");
}

// A pack starts with "PACK", a version, and the number of its objects.
// libgit2 reserves memory by that number before it has seen any of them.
Status CheckObjectCount(const char* bytes, ssize_t size,
                        const TreeLimits& limits) {
  constexpr std::string_view kMagic("PACK\0\0\0\2", 8);
  std::uint32_t big_endian_count = 0;
  if (size < 12 || std::string_view(bytes, kMagic.size()) != kMagic)
    return DataLoss("the pack is damaged: it has no header of version 2");
  std::memcpy(&big_endian_count, bytes + 8, sizeof big_endian_count);
  const std::int64_t count = ntohl(big_endian_count);
  if (count > limits.objects)
    return ResourceExhausted("the commit has ", count,
                             " git objects, the limit is ", limits.objects);
  return {};
}

Status Feed(git_indexer* indexer, int pack_fd, const TreeLimits& limits) {
  std::vector<char> buffer(std::size_t{256} << 10);
  git_indexer_progress stats{};
  std::int64_t total = 0;
  while (true) {
    const ssize_t got = read(pack_fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError("read the pack", errno);
    if (total == 0)
      ASSAY_RETURN_IF_ERROR(CheckObjectCount(buffer.data(), got, limits));
    if (got == 0) break;
    total += got;
    if (total > limits.pack_bytes)
      return ResourceExhausted("the commit's pack is over ", limits.pack_bytes,
                               " bytes");
    if (git_indexer_append(indexer, buffer.data(),
                           static_cast<std::size_t>(got), &stats) != 0)
      return IndexError();
  }
  if (git_indexer_commit(indexer, &stats) != 0) return IndexError();
  return {};
}

}  // namespace

Expected<GitRepository> OpenPack(int pack_fd, const std::string& scratch,
                                 const TreeLimits& limits) {
  git_indexer* raw_indexer = nullptr;
  if (git_indexer_new(&raw_indexer, scratch.c_str(), 0600, nullptr, nullptr) !=
      0)
    return GitError(Code::kUnavailable, "cannot write in the scratch folder");
  const GitIndexer indexer(raw_indexer);
  ASSAY_RETURN_IF_ERROR(Feed(indexer.get(), pack_fd, limits));

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
