#include "services/cli/suite_lint.h"

#include <set>

#include "runner/suite/compiler.h"
#include "services/cli/file_tree.h"

namespace assay::cli {

Expected<plan::v1::Plan> CompileSuite(const v1::FileTree& files,
                                      const std::filesystem::path& shown_dir) {
  suite::Files suite_files;
  std::set<std::string> programs;
  for (const auto& file : files.files()) {
    suite_files[file.path()] = file.content();
    if (file.mode() == kProgramMode) programs.insert(file.path());
  }
  auto compiled = suite::Compile(suite_files, programs);
  if (compiled) return std::move(compiled->plan);
  for (suite::Diagnostic& diagnostic : compiled.error()) {
    diagnostic.file = (shown_dir / diagnostic.file).string();
  }
  return InvalidArgument(suite::ToText(compiled.error()));
}

}  // namespace assay::cli
