#ifndef ASSAY_SERVICES_CLI_ASSIGNMENT_FILE_H_
#define ASSAY_SERVICES_CLI_ASSIGNMENT_FILE_H_

#include <expected>
#include <string>

#include "assay/v1/assignment.pb.h"
#include "runner/suite/diagnostic.h"

namespace assay::cli {

// What `assignment.yaml` says. docs/reference/assignment-yaml.md describes the
// format; the table of keys in assignment_file.cc is the format.
struct AssignmentFile {
  // Without the brief's text, which is in a file.
  v1::AssignmentSpec spec;
  // Files and folders, relative to the assignment's folder.
  std::string brief = "brief.md";
  std::string template_folder = "template";
  std::string suite_folder = "suite";
  std::string rubric = "rubric.yaml";
  // Instead of a folder: a repository's URL or path, and a branch or tag.
  std::string template_git;
  std::string template_ref;
};

// Parses the text of a file that messages call `name`: every mistake with its
// line and column.
std::expected<AssignmentFile, suite::Diagnostics> ParseAssignmentFile(
    const std::string& name, const std::string& text);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_ASSIGNMENT_FILE_H_
