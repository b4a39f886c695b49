#include <fmt/format.h>

#include "services/cli/command_line.h"
#include "services/cli/completion.h"

namespace assay::cli {
namespace {

struct CompletionOptions {
  const CLI::App* app = nullptr;
  std::string shell;
};
struct ManualOptions {
  const CLI::App* app = nullptr;
  bool markdown = false;
};

Outcome Complete(Context& context, const CompletionOptions& options) {
  if (options.shell == "bash") {
    context.console().Document(BashCompletion(*options.app));
    return kSuccess;
  }
  if (options.shell == "zsh") {
    context.console().Document(ZshCompletion(*options.app));
    return kSuccess;
  }
  return InvalidArgument("no completion for \"", options.shell,
                         "\"; expected bash or zsh");
}

Outcome Manual(Context& context, const ManualOptions& options) {
  context.console().Document(options.markdown ? MarkdownPage(*options.app)
                                              : ManualPage(*options.app));
  return kSuccess;
}

}  // namespace

void AddCompletionCommand(CommandLine& line) {
  auto completion = line.Add<CompletionOptions>(
      line.app(), "completion", "Print completion rules for a shell",
      "  assay completion bash > /etc/bash_completion.d/assay\n"
      "  assay completion zsh > \"${fpath[1]}/_assay\"",
      Complete);
  completion.options->app = &line.app();
  completion.app.add_option("shell", completion.options->shell, "bash or zsh")
      ->required();
  auto manual =
      line.Add<ManualOptions>(line.app(), "manual", "Print assay(1) as roff",
                              "  assay manual | man -l -", Manual);
  manual.options->app = &line.app();
  manual.app.add_flag("--markdown", manual.options->markdown,
                      "A page of Markdown instead");
}

}  // namespace assay::cli
