#ifndef ASSAY_SERVICES_REPOSITORIES_TREE_RULES_H_
#define ASSAY_SERVICES_REPOSITORIES_TREE_RULES_H_

#include <cstdint>
#include <string_view>

#include "assay/v1/file_tree.pb.h"
#include "proto/base/error.h"

namespace assay::repositories {

inline constexpr int kMaxTemplateFiles = 10'000;
inline constexpr std::int64_t kMaxTemplateBytes = 32 << 20;
inline constexpr std::size_t kMaxPathBytes = 1024;

// Checks that every candidate's git, on any operating system, checks these
// files out as the author sees them. All problems are in the message, one a
// line, up to 20.
//
// Errors: kInvalidArgument.
Status CheckTemplateFiles(const v1::FileTree& files);

// Checks one path of a template or a suite: relative, no `..`, nothing that
// some file system takes for `.git`.
Status CheckTreePath(std::string_view path);

}  // namespace assay::repositories

#endif  // ASSAY_SERVICES_REPOSITORIES_TREE_RULES_H_
