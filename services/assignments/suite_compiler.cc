#include "services/assignments/suite_compiler.h"

#include <utility>

#include "runner/suite/compiler.h"

namespace assay::assignments {

Expected<CompiledSuite> CompileWithRunnerSuite(const v1::FileTree& tree) {
  suite::Files files;
  std::set<std::string> programs;
  for (const v1::FileTree::File& file : tree.files()) {
    // A symbolic link could only lead out of the suite or back into it.
    if (file.mode() == 0120000)
      return InvalidArgument("suite: ", file.path(),
                             " is a symbolic link; put the file itself there");
    files.emplace(file.path(), file.content());
    if (file.mode() == 0100755) programs.insert(file.path());
  }
  auto compiled = suite::Compile(files, programs);
  if (!compiled) return InvalidArgument(suite::ToText(compiled.error()));
  CompiledSuite result;
  result.bytes = suite::SerializePlan(compiled->plan);
  result.plan = std::move(compiled->plan);
  return result;
}

}  // namespace assay::assignments
