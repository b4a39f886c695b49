#ifndef ASSAY_SERVICES_CLI_ASSIGNMENT_SOURCE_H_
#define ASSAY_SERVICES_CLI_ASSIGNMENT_SOURCE_H_

#include <filesystem>
#include <string>

#include "assay/v1/assignment.pb.h"
#include "assay/v1/file_tree.pb.h"
#include "proto/base/error.h"

namespace assay::cli {

// An assignment's folder, read: `assignment.yaml` and what it names.
struct AssignmentSource {
  v1::AssignmentSpec spec;
  v1::FileTree template_tree;
  // `assay.yaml`, what it names, and `rubric.yaml` if there is one.
  v1::FileTree suite;
  // The folder's name made to fit an assignment's.
  std::string id;
};

// Errors: kInvalidArgument; what is wrong with `assignment.yaml` is listed, one
// "file:line:col: error: sentence" on a line.
Expected<AssignmentSource> LoadAssignment(const std::filesystem::path& dir);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_ASSIGNMENT_SOURCE_H_
