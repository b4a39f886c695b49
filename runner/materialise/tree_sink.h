#ifndef ASSAY_RUNNER_MATERIALISE_TREE_SINK_H_
#define ASSAY_RUNNER_MATERIALISE_TREE_SINK_H_

#include <string_view>

#include "proto/base/error.h"

namespace assay::materialise {

// Takes the entries of a tree, parents before children. Paths are relative,
// without `.`, `..` and empty parts.
class TreeSink {
 public:
  virtual ~TreeSink() = default;
  virtual Status Directory(std::string_view path) = 0;
  virtual Status File(std::string_view path, bool executable,
                      std::string_view content) = 0;
  virtual Status Symlink(std::string_view path, std::string_view target) = 0;
};

}  // namespace assay::materialise

#endif  // ASSAY_RUNNER_MATERIALISE_TREE_SINK_H_
