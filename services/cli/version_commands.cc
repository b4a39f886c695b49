#include "assay/v1/assignment_service.grpc.pb.h"
#include "proto/base/id.h"
#include "services/cli/command_line.h"
#include "services/cli/confirm.h"
#include "services/cli/resource_name.h"

namespace assay::cli {
namespace {

using Stub = v1::AssignmentService::Stub;

struct MoveOptions {
  std::string name;
  int version = 0;
  std::vector<std::string> attempts;
  std::string reason;
  bool yes = false;
};
struct OfferOptions {
  std::string name;
  int version = 0;
  std::vector<std::string> attempts;
};

std::string WhoText(const std::vector<std::string>& attempts) {
  return attempts.empty() ? "every running attempt"
                          : std::to_string(attempts.size()) + " attempts";
}

Outcome Move(Context& context, const MoveOptions& options) {
  ASSAY_RETURN_IF_ERROR(Confirm(
      "Move " + WhoText(options.attempts) + " of " + options.name + " to " +
          (options.version == 0
               ? "the current version"
               : "version " + std::to_string(options.version)) +
          "? Its suite and policies hold from then on; nobody loses time.",
      options.yes, WithoutTerminal::kRefuse));
  v1::MoveAttemptsRequest request;
  request.set_name(FullName("assignments", options.name));
  request.set_version(options.version);
  for (const std::string& attempt : options.attempts)
    request.add_attempts(FullName("attempts", attempt));
  request.set_reason(options.reason);
  request.set_request_id(RandomToken());
  ASSAY_ASSIGN_OR_RETURN(const auto response,
                         context.server().Call(&Stub::MoveAttempts, request));
  Console& console = context.console();
  if (console.json()) {
    console.Json(response);
    return kSuccess;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& move : response.moves())
    rows.push_back(
        {ShortName(move.attempt()), std::to_string(move.from_version())});
  console.Table({"MOVED", "FROM VERSION"}, rows);
  if (rows.empty()) console.Note("All were on that version already.");
  return kSuccess;
}

Outcome Offer(Context& context, const OfferOptions& options) {
  v1::OfferTemplateRequest request;
  request.set_name(FullName("assignments", options.name));
  request.set_version(options.version);
  for (const std::string& attempt : options.attempts)
    request.add_attempts(FullName("attempts", attempt));
  ASSAY_ASSIGN_OR_RETURN(const auto response,
                         context.server().Call(&Stub::OfferTemplate, request,
                                               std::chrono::minutes(10)));
  Console& console = context.console();
  if (console.json()) {
    console.Json(response);
    return kSuccess;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& offer : response.offers())
    rows.push_back({ShortName(offer.attempt()), offer.branch(),
                    offer.commit().substr(0, 12)});
  console.Table({"OFFERED TO", "BRANCH", "COMMIT"}, rows);
  if (rows.empty())
    console.Note("All began with that template: there was nothing to offer.");
  return kSuccess;
}

}  // namespace

void AddVersionCommands(CommandLine& line) {
  CLI::App& group = *line.app().get_subcommand("assignment");
  auto move = line.Add<MoveOptions>(
      group, "move", "Put running attempts on another version",
      "  assay assignment move orders-api --reason \"check 7 was wrong\"\n"
      "  assay assignment move orders-api --to 3 --attempt att_7f3k --reason "
      "\"asked for it\" --yes",
      Move);
  move.app.add_option("name", move.options->name, "Assignment")->required();
  move.app.add_option("--to", move.options->version,
                      "Version [the current one]");
  move.app.add_option("--attempt", move.options->attempts,
                      "Only this attempt; may be repeated");
  move.app
      .add_option("--reason", move.options->reason, "Kept in the audit log")
      ->required();
  move.app.add_flag("--yes", move.options->yes, "Do not ask");
  auto offer = line.Add<OfferOptions>(
      group, "offer",
      "Offer a version's template to running attempts, as a commit on a "
      "branch that they may merge",
      "  assay assignment offer orders-api", Offer);
  offer.app.add_option("name", offer.options->name, "Assignment")->required();
  offer.app.add_option("--of", offer.options->version,
                       "Version [the current one]");
  offer.app.add_option("--attempt", offer.options->attempts,
                       "Only this attempt; may be repeated");
}

}  // namespace assay::cli
