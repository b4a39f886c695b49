#ifndef ASSAY_SERVICES_CLI_COMMAND_LINE_H_
#define ASSAY_SERVICES_CLI_COMMAND_LINE_H_

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "services/cli/context.h"

namespace assay::cli {

// The tree of commands. Parsing picks one Action; running it is the caller's.
//
// Ownership: owns the CLI11 tree, which keeps references into it.
class CommandLine {
 public:
  explicit CommandLine(Context& context);

  CLI::App& app() { return *app_; }
  Context& context() { return context_; }

  // A command that groups others: "assay run".
  CLI::App& Group(CLI::App& parent, const std::string& name,
                  const std::string& what);
  // A command that does something. `options` holds what the command's options
  // are bound to, for as long as the tree lives.
  template <class Options>
  struct Leaf {
    CLI::App& app;
    std::shared_ptr<Options> options;
  };
  template <class Options>
  Leaf<Options> Add(CLI::App& parent, const std::string& name,
                    const std::string& what, const std::string& examples,
                    Outcome (*run)(Context&, const Options&)) {
    auto options = std::make_shared<Options>();
    CLI::App& app = AddLeaf(
        parent, name, what, examples,
        [options, run](Context& context) { return run(context, *options); });
    return {app, options};
  }

  // Parses and runs; returns the exit code.
  int Run(int argc, const char* const* argv);

 private:
  CLI::App& AddLeaf(CLI::App& parent, const std::string& name,
                    const std::string& what, const std::string& examples,
                    Action action);

  Context& context_;
  std::unique_ptr<CLI::App> app_;
  Action action_;
};

// Each adds its noun's commands; one file each.
void AddAssignmentCommands(CommandLine& line);
void AddInvitationCommands(CommandLine& line);
void AddAttemptCommands(CommandLine& line);
void AddSourceCommands(CommandLine& line, CLI::App& attempt_group);
// Below "attempt", which AddAttemptCommands makes.
void AddClockCommands(CommandLine& line);
void AddCandidateCommands(CommandLine& line);
void AddRecordsCommands(CommandLine& line);
void AddSubmissionCommands(CommandLine& line);
// Below "assignment".
void AddVersionCommands(CommandLine& line);
void AddReferenceCommand(CommandLine& line);
void AddNotificationCommands(CommandLine& line);
void AddQuestionCommands(CommandLine& line);
void AddDecisionCommands(CommandLine& line);
void AddReceiptCommands(CommandLine& line);
void AddRunCommands(CommandLine& line);
void AddRunCompareCommand(CommandLine& line, CLI::App& group);
void AddTraceCommands(CommandLine& line);
void AddTraceEvidenceCommand(CommandLine& line, CLI::App& group);
void AddSuiteCommands(CommandLine& line);
void AddSuiteRunCommand(CommandLine& line, CLI::App& group);
void AddSuiteVerifyCommand(CommandLine& line, CLI::App& group);
void AddTokenCommands(CommandLine& line);
void AddOverviewCommands(CommandLine& line);
void AddWorkerCommands(CommandLine& line);
void AddAdminCommands(CommandLine& line);
// Below "admin".
void AddAccountCommands(CommandLine& line);
void AddUserCommands(CommandLine& line, CLI::App& admin);
void AddNodeCommands(CommandLine& line, CLI::App& admin);
void AddUpCommand(CommandLine& line);
void AddCompletionCommand(CommandLine& line);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_COMMAND_LINE_H_
