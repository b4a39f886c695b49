#ifndef ASSAY_SERVICES_ASSIGNMENTS_SUITE_COMPILER_H_
#define ASSAY_SERVICES_ASSIGNMENTS_SUITE_COMPILER_H_

#include "assay/v1/file_tree.pb.h"
#include "assay/v1/suite_service.pb.h"
#include "proto/base/error.h"
#include "services/assignments/assignment_service.h"

namespace assay::assignments {

// Compiles with the suite language's own compiler.
// kInvalidArgument: each mistake on a line, as file:line:col.
Expected<CompiledSuite> CompileWithRunnerSuite(const v1::FileTree& suite);

// The same for somebody who is still writing: every mistake and warning at its
// place, and the checks of a suite that has no mistake.
v1::CheckSuiteResponse CheckWithRunnerSuite(const v1::FileTree& suite);

}  // namespace assay::assignments

#endif  // ASSAY_SERVICES_ASSIGNMENTS_SUITE_COMPILER_H_
