#ifndef ASSAY_SERVICES_ASSIGNMENTS_SPEC_H_
#define ASSAY_SERVICES_ASSIGNMENTS_SPEC_H_

#include <string>
#include <string_view>
#include <vector>

#include "assay/v1/assignment.pb.h"
#include "assay/v1/file_tree.pb.h"

namespace assay::assignments {

// Fills in the defaults that the proto names.
v1::AssignmentSpec WithDefaults(v1::AssignmentSpec spec);

// Everything that is wrong with a spec, one sentence each; empty: nothing.
// Takes a spec with its defaults.
std::vector<std::string> SpecProblems(const v1::AssignmentSpec& spec);

// Everything that is wrong with the slug of a new assignment.
std::vector<std::string> SlugProblems(std::string_view slug);

// Everything that is wrong with a tree as such: its size, its paths, its
// modes. `what` names it in the sentences ("template", "suite").
std::vector<std::string> TreeProblems(std::string_view what,
                                      const v1::FileTree& tree);

}  // namespace assay::assignments

#endif  // ASSAY_SERVICES_ASSIGNMENTS_SPEC_H_
