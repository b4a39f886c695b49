#ifndef ASSAY_SERVICES_REPOSITORIES_TREE_METER_H_
#define ASSAY_SERVICES_REPOSITORIES_TREE_METER_H_

#include <git2.h>

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>

#include "proto/base/error.h"

namespace assay::repositories {

// What a commit may unpack to. A dozen tree objects can name a thousand
// million files, so sizes are counted as they would be checked out.
struct TreeLimits {
  std::int64_t max_files = 50'000;
  std::int64_t max_bytes = std::int64_t{1} << 30;
  // A file is held in memory as a whole when it is packed for a worker.
  std::int64_t max_file_bytes = std::int64_t{128} << 20;
  int max_depth = 64;
};

// What a tree or a file takes when it is checked out; saturates, so that a
// tree bomb cannot wrap it.
struct Extent {
  std::int64_t files = 0;
  std::int64_t bytes = 0;
  // Directories below it, one in the other.
  int height = 0;
};

// Measures trees by looking at each object once, however often trees repeat
// it. Submodules count for nothing.
//
// Ownership: borrows all that it is made of.
// Errors: kResourceExhausted for what is over a limit, kDataLoss for a tree
// whose objects are missing.
class TreeMeter {
 public:
  // Told of each tree and file once, trees before what is in them.
  using Visit = std::function<Status(const git_oid&)>;

  TreeMeter(git_repository* repository, git_odb* odb, const TreeLimits& limits,
            Visit visit = {});

  Expected<Extent> Measure(const git_oid& tree) { return MeasureTree(tree, 0); }

 private:
  Expected<Extent> MeasureTree(const git_oid& oid, int depth);
  Expected<Extent> MeasureEntry(const git_tree_entry& entry, int depth);
  Expected<Extent> MeasureBlob(const git_oid& oid);
  // The size of an object of the given type.
  Expected<std::int64_t> SizeOf(const git_oid& oid, git_object_t type);
  Status Check(const Extent& extent) const;
  Status CheckDepth(int depth) const;

  git_repository* repository_;
  git_odb* odb_;
  const TreeLimits& limits_;
  const Visit visit_;
  std::unordered_map<std::string, Extent> extents_;
};

}  // namespace assay::repositories

#endif  // ASSAY_SERVICES_REPOSITORIES_TREE_METER_H_
