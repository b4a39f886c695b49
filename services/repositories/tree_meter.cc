#include "services/repositories/tree_meter.h"

#include <algorithm>
#include <utility>

#include "services/repositories/handles.h"

namespace assay::repositories {
namespace {

constexpr std::int64_t kSaturated = std::int64_t{1} << 60;
// An entry takes more than 28 bytes of its tree, and rarely more than this. A
// tree is read as a whole, and a small pack can unpack to a very large one.
constexpr std::int64_t kBytesPerEntry = 300;

std::int64_t Add(std::int64_t a, std::int64_t b) {
  return std::min(kSaturated, a + b);
}

}  // namespace

TreeMeter::TreeMeter(git_repository* repository, git_odb* odb,
                     const TreeLimits& limits, Visit visit)
    : repository_(repository),
      odb_(odb),
      limits_(limits),
      visit_(std::move(visit)) {}

Expected<Extent> TreeMeter::MeasureTree(const git_oid& oid, int depth) {
  const std::string key = OidHex(oid);
  // What is small where it was met first may be deep here.
  if (const auto seen = extents_.find(key); seen != extents_.end()) {
    ASSAY_RETURN_IF_ERROR(CheckDepth(depth + seen->second.height));
    return seen->second;
  }
  ASSAY_RETURN_IF_ERROR(CheckDepth(depth));
  ASSAY_ASSIGN_OR_RETURN(const std::int64_t size, SizeOf(oid, GIT_OBJECT_TREE));
  if (size > limits_.max_files * kBytesPerEntry)
    return ResourceExhausted("a directory's list of files takes ", size,
                             " bytes");
  git_tree* raw = nullptr;
  if (git_tree_lookup(&raw, repository_, &oid) < 0)
    return DataLoss("tree ", key, " is missing or damaged");
  const TreeHandle tree(raw);
  if (visit_) ASSAY_RETURN_IF_ERROR(visit_(oid));
  Extent extent{.files = 1};
  for (std::size_t i = 0; i < git_tree_entrycount(raw); ++i) {
    const git_tree_entry& named = *git_tree_entry_byindex(raw, i);
    ASSAY_ASSIGN_OR_RETURN(const Extent entry, MeasureEntry(named, depth));
    if (git_tree_entry_type(&named) == GIT_OBJECT_TREE)
      extent.height = std::max(extent.height, entry.height + 1);
    extent.files = Add(extent.files, entry.files);
    extent.bytes = Add(extent.bytes, entry.bytes);
  }
  ASSAY_RETURN_IF_ERROR(Check(extent));
  return extents_[key] = extent;
}

Expected<Extent> TreeMeter::MeasureEntry(const git_tree_entry& entry,
                                         int depth) {
  const git_oid& oid = *git_tree_entry_id(&entry);
  switch (git_tree_entry_type(&entry)) {
    case GIT_OBJECT_TREE:
      return MeasureTree(oid, depth + 1);
    case GIT_OBJECT_BLOB:
      return MeasureBlob(oid);
    default:
      return Extent{};
  }
}

Expected<Extent> TreeMeter::MeasureBlob(const git_oid& oid) {
  const std::string key = OidHex(oid);
  if (const auto seen = extents_.find(key); seen != extents_.end())
    return seen->second;
  ASSAY_ASSIGN_OR_RETURN(const std::int64_t size, SizeOf(oid, GIT_OBJECT_BLOB));
  if (size > limits_.max_file_bytes)
    return ResourceExhausted("the commit unpacks to more than ",
                             limits_.max_file_bytes >> 20,
                             " MiB in one of its files");
  const Extent extent{.files = 1, .bytes = size};
  ASSAY_RETURN_IF_ERROR(Check(extent));
  if (visit_) ASSAY_RETURN_IF_ERROR(visit_(oid));
  return extents_[key] = extent;
}

Expected<std::int64_t> TreeMeter::SizeOf(const git_oid& oid,
                                         git_object_t type) {
  std::size_t size = 0;
  git_object_t found = GIT_OBJECT_INVALID;
  if (git_odb_read_header(&size, &found, odb_, &oid) < 0 || found != type)
    return DataLoss(type == GIT_OBJECT_TREE ? "tree " : "file ", OidHex(oid),
                    " is missing or damaged");
  return static_cast<std::int64_t>(size);
}

Status TreeMeter::CheckDepth(int depth) const {
  if (depth <= limits_.max_depth) return {};
  return ResourceExhausted("directories are nested more than ",
                           limits_.max_depth, " deep");
}

Status TreeMeter::Check(const Extent& extent) const {
  if (extent.files > limits_.max_files)
    return ResourceExhausted("the commit unpacks to more than ",
                             limits_.max_files, " files and directories");
  if (extent.bytes > limits_.max_bytes)
    return ResourceExhausted("the commit unpacks to more than ",
                             limits_.max_bytes, " bytes");
  return {};
}

}  // namespace assay::repositories
