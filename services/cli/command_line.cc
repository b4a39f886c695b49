#include "services/cli/command_line.h"

#include <exception>

#include "proto/base/utf8.h"
#include "services/cli/printable.h"

namespace assay::cli {
namespace {

constexpr char kVersion[] = "assay 0.1.0";

void Configure(CLI::App& app) {
  app.fallthrough();
  app.get_formatter()->column_width(34);
}

}  // namespace

CommandLine::CommandLine(Context& context)
    : context_(context), app_(std::make_unique<CLI::App>()) {
  app_->name("assay");
  app_->description(
      "Assay: take-home assessments for backend engineers, graded by running "
      "them.");
  app_->footer(
      "Examples:\n"
      "  assay up                                   everything on this "
      "machine\n"
      "  assay assignment create docs/examples/orders-api\n"
      "  assay invite orders-api --name \"Ada L.\" --email ada@example.org\n"
      "  assay run watch RUN                        a run, live\n"
      "  assay suite run suite --against solution   no server needed\n"
      "Exit codes: 0 fine, 1 the answer is no, 2 usage, 3 refused by the "
      "server,\n  4 no server, 5 a program of ours failed.");
  app_->set_version_flag("--version", kVersion, "Print the version");
  Configure(*app_);
  app_->require_subcommand(1);
  GlobalOptions& options = context.options();
  options.data_dir = DefaultDataDir();
  app_->add_option("--server", options.server,
                   "host:port of the server, or its web address as a URL "
                   "[ASSAY_SERVER, 127.0.0.1:7070]");
  app_->add_option("--token", options.token,
                   "Who you are [ASSAY_TOKEN, admin token of the data "
                   "directory]");
  app_->add_option("--ca", options.ca_file,
                   "Certificates (PEM) that vouch for an https:// server "
                   "[ASSAY_CA, the system's]");
  app_->add_option("--data-dir", options.data_dir,
                   "Data directory of `assay up` [ASSAY_DATA_DIR]");
  app_->add_flag("--json", options.json, "Print JSON, nothing else");
  app_->add_flag_callback(
      "--no-color", [&context] { context.console().set_color(false); },
      "No colours [NO_COLOR]");
  AddUpCommand(*this);
  AddAssignmentCommands(*this);
  AddVersionCommands(*this);
  AddReferenceCommand(*this);
  AddOverviewCommands(*this);
  AddInvitationCommands(*this);
  AddAttemptCommands(*this);
  AddCandidateCommands(*this);
  AddClockCommands(*this);
  AddRecordsCommands(*this);
  AddSubmissionCommands(*this);
  AddReceiptCommands(*this);
  AddQuestionCommands(*this);
  AddDecisionCommands(*this);
  AddNotificationCommands(*this);
  AddRunCommands(*this);
  AddTraceCommands(*this);
  AddSuiteCommands(*this);
  AddTokenCommands(*this);
  AddWorkerCommands(*this);
  AddAccountCommands(*this);
  AddAdminCommands(*this);
  AddCompletionCommand(*this);
}

CLI::App& CommandLine::Group(CLI::App& parent, const std::string& name,
                             const std::string& what) {
  CLI::App* app = parent.add_subcommand(name, what);
  Configure(*app);
  app->require_subcommand(1);
  return *app;
}

CLI::App& CommandLine::AddLeaf(CLI::App& parent, const std::string& name,
                               const std::string& what,
                               const std::string& examples, Action action) {
  CLI::App* app = parent.add_subcommand(name, what);
  Configure(*app);
  app->footer("Examples:\n" + examples);
  app->callback([this, action = std::move(action)] { action_ = action; });
  return *app;
}

int CommandLine::Run(int argc, const char* const* argv) {
  Console& console = context_.console();
  // No message could carry it.
  for (int i = 1; i < argc; ++i) {
    if (IsUtf8(argv[i])) continue;
    console.Note("assay: expected arguments in UTF-8, found \"" +
                 PresentableLine(argv[i], 80) + "\"");
    return kUsage;
  }
  try {
    app_->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // CLI11 prints help and version by itself, and throws both.
    return app_->exit(error) == 0 ? kSuccess : kUsage;
  }
  console.set_json(context_.options().json);
  const Outcome outcome = action_(context_);
  if (outcome) return *outcome;
  console.Note("assay: " + outcome.error().message);
  return outcome.error().code == Code::kInvalidArgument
             ? kUsage
             : ExitCodeOf(outcome.error());
}

}  // namespace assay::cli
