#include <fmt/format.h>

#include "services/cli/command_line.h"
#include "services/cli/file_tree.h"
#include "services/cli/suite_lint.h"

namespace assay::cli {
namespace {

struct LintOptions {
  std::string dir = ".";
};

Outcome Lint(Context& context, const LintOptions& options) {
  ASSAY_ASSIGN_OR_RETURN(const v1::FileTree files, ReadTree(options.dir));
  if (const auto plan = CompileSuite(files, options.dir); !plan) {
    context.console().Note(plan.error().message);
    return kNegative;
  }
  context.console().Line(options.dir + ": no problems");
  return kSuccess;
}

}  // namespace

void AddSuiteCommands(CommandLine& line) {
  CLI::App& group =
      line.Group(line.app(), "suite",
                 "Write and try a suite; none of these needs a server");
  auto lint = line.Add<LintOptions>(
      group, "lint", "Say what is wrong with a suite",
      "  assay suite lint docs/examples/orders-api/suite", Lint);
  lint.app.add_option("dir", lint.options->dir, "Folder with an assay.yaml");
}

}  // namespace assay::cli
