#ifndef ASSAY_SERVICES_CLI_SUITE_LINT_H_
#define ASSAY_SERVICES_CLI_SUITE_LINT_H_

#include <filesystem>

#include "assay/plan/v1/plan.pb.h"
#include "assay/v1/file_tree.pb.h"
#include "proto/base/error.h"

namespace assay::cli {

// Compiles the suite in `files`. Errors: kInvalidArgument, one
// "file:line:col: error: sentence" on a line, files shown below `shown_dir`.
Expected<plan::v1::Plan> CompileSuite(const v1::FileTree& files,
                                      const std::filesystem::path& shown_dir);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_SUITE_LINT_H_
