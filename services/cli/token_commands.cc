#include "assay/v1/system_service.grpc.pb.h"
#include "services/cli/command_line.h"
#include "services/cli/confirm.h"
#include "services/cli/printable.h"
#include "services/cli/resource_name.h"
#include "services/cli/role_text.h"
#include "services/cli/time_text.h"

namespace assay::cli {
namespace {

using Stub = v1::SystemService::Stub;

struct CreateOptions {
  std::string role;
  std::string label;
};
struct RevokeOptions {
  std::string name;
  bool yes = false;
};
struct NoOptions {};

Outcome Create(Context& context, const CreateOptions& options) {
  v1::CreateTokenRequest request;
  ASSAY_ASSIGN_OR_RETURN(const v1::Role role, RoleFrom(options.role));
  request.set_role(role);
  request.set_label(options.label);
  ASSAY_ASSIGN_OR_RETURN(const auto response,
                         context.server().Call(&Stub::CreateToken, request));
  Console& console = context.console();
  if (console.json()) {
    console.Json(response);
    return kSuccess;
  }
  console.Fields(
      {{"name", ShortName(response.name())}, {"token", response.token()}});
  console.Note("This is the only copy of the token.");
  return kSuccess;
}

Outcome Revoke(Context& context, const RevokeOptions& options) {
  ASSAY_RETURN_IF_ERROR(
      Confirm("Take " + options.name +
                  " back? Whatever uses it is refused from now on.",
              options.yes, WithoutTerminal::kRefuse));
  v1::RevokeTokenRequest request;
  request.set_name(FullName("tokens", options.name));
  ASSAY_ASSIGN_OR_RETURN(const auto response,
                         context.server().Call(&Stub::RevokeToken, request));
  if (context.console().json()) context.console().Json(response);
  return kSuccess;
}

Outcome ShowSystem(Context& context, const NoOptions&) {
  ASSAY_ASSIGN_OR_RETURN(
      const auto system,
      context.server().Call(&Stub::GetSystem, v1::GetSystemRequest()));
  Console& console = context.console();
  if (console.json()) {
    console.Json(system);
    return kSuccess;
  }
  console.Fields({{"version", Printable(system.version())},
                  {"queued runs", std::to_string(system.queued_runs())},
                  {"running runs", std::to_string(system.running_runs())}});
  std::vector<std::vector<std::string>> rows;
  for (const auto& worker : system.workers()) {
    rows.push_back({Printable(worker.name()), std::to_string(worker.slots()),
                    std::to_string(worker.busy()),
                    TimeText(worker.attach_time())});
  }
  console.Table({"WORKER", "SLOTS", "BUSY", "ATTACHED"}, rows);
  return kSuccess;
}

}  // namespace

void AddTokenCommands(CommandLine& line) {
  CLI::App& group = line.Group(line.app(), "token", "Who may do what (admins)");
  auto create = line.Add<CreateOptions>(
      group, "create", "Make a token",
      "  assay token create --role reviewer --label \"Grace H.\"\n"
      "  assay token create --role worker --label rack-2 --json",
      Create);
  create.app
      .add_option("--role", create.options->role,
                  "admin, author, reviewer, observer or worker")
      ->required();
  create.app
      .add_option("--label", create.options->label,
                  "Who or what it is for; shown in the audit log")
      ->required();
  auto revoke = line.Add<RevokeOptions>(group, "revoke", "Take a token back",
                                        "  assay token revoke tok_7f3k\n"
                                        "  assay token revoke tok_7f3k --yes",
                                        Revoke);
  revoke.app.add_option("name", revoke.options->name, "Token")->required();
  revoke.app.add_flag("--yes", revoke.options->yes, "Do not ask");
  CLI::App& system = line.Group(line.app(), "system", "The installation");
  line.Add<NoOptions>(system, "show", "Version, workers and queue",
                      "  assay system show", ShowSystem);
}

}  // namespace assay::cli
