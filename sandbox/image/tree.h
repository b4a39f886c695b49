#ifndef ASSAY_SANDBOX_IMAGE_TREE_H_
#define ASSAY_SANDBOX_IMAGE_TREE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "proto/base/error.h"
#include "sandbox/cell/unique_fd.h"

namespace assay::sandbox {

// What an image may unpack to.
struct ImageLimits {
  std::int64_t bytes = std::int64_t{8} << 30;
  std::int64_t entries = 500'000;
};

// A directory that is filled from archives which nobody vouches for. Every
// path is relative to it ("etc/passwd", "" is the directory itself); none leads
// out of it, not through links either: one that tries is an error. What stands
// in the way of a new entry is replaced. Sets no owner and no set-id bit.
//
// Errors: kInvalidArgument for a path that is not clean or leads out,
// kResourceExhausted beyond the limits.
class Tree {
 public:
  Tree(UniqueFd root, ImageLimits limits);

  Status AddDirectory(const std::string& path, std::uint32_t mode);
  // An empty file, open for writing; count what goes into it with Grow.
  Expected<UniqueFd> AddFile(const std::string& path, std::uint32_t mode);
  Status AddSymlink(const std::string& path, const std::string& target);
  // A second name of the regular file `existing`.
  Status AddHardLink(const std::string& path, const std::string& existing);
  Status Grow(std::int64_t bytes);

  // Removes `path` and all below it; a path that is not there is fine.
  Status Remove(const std::string& path);
  // What the directory `path` holds; nothing if there is none.
  Expected<std::vector<std::string>> Names(const std::string& path);

 private:
  // The directory that holds `path`, made where it is missing.
  Expected<UniqueFd> Parent(const std::string& path);
  Status MakeRoom(int parent, const std::string& name, bool keep_directory);
  Status Count();

  UniqueFd root_;
  ImageLimits limits_;
  std::int64_t bytes_ = 0;
  std::int64_t entries_ = 0;
};

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_IMAGE_TREE_H_
