#include <fmt/format.h>

#include "assay/v1/node_service.grpc.pb.h"
#include "services/cli/command_line.h"
#include "services/cli/confirm.h"
#include "services/cli/printable.h"
#include "services/cli/resource_name.h"
#include "services/cli/time_text.h"

namespace assay::cli {
namespace {

using Stub = v1::NodeService::Stub;

struct NoOptions {};
struct NameOptions {
  std::string name;
};
struct ForgetOptions {
  std::string name;
  bool yes = false;
};

const char* StateText(const v1::Node& node) {
  switch (node.state()) {
    case v1::Node::STATE_DRAINING:
      return "draining";
    case v1::Node::STATE_SILENT:
      return "silent";
    case v1::Node::STATE_LOST:
      return "lost";
    default:
      return "active";
  }
}

Outcome List(Context& context, const NoOptions&) {
  ASSAY_ASSIGN_OR_RETURN(
      const auto all,
      context.server().Call(&Stub::ListNodes, v1::ListNodesRequest()));
  Console& console = context.console();
  if (console.json()) {
    console.Json(all);
    return kSuccess;
  }
  std::vector<std::vector<std::string>> rows;
  for (const v1::Node& node : all.nodes())
    rows.push_back(
        {ShortName(node.name()) + (node.self() ? " *" : ""), StateText(node),
         Printable(node.grpc_address()), Printable(node.web_address()),
         std::to_string(node.load().workers_size()),
         std::to_string(node.repository_count()), Printable(node.version()),
         TimeText(node.start_time()), TimeText(node.heartbeat_time())});
  console.Table({"NODE", "STATE", "GRPC", "WEB", "WORKERS", "REPOSITORIES",
                 "VERSION", "STARTED", "HEARD OF"},
                rows);
  return kSuccess;
}

Outcome Drain(Context& context, const NameOptions& options) {
  v1::DrainNodeRequest request;
  request.set_name(FullName("nodes", options.name));
  ASSAY_ASSIGN_OR_RETURN(const auto response,
                         context.server().Call(&Stub::DrainNode, request));
  if (context.console().json())
    context.console().Json(response.node());
  else
    context.console().Line(ShortName(response.node().name()) +
                           " grants no more leases until it is started again; "
                           "workers that know another coordinator go there");
  return kSuccess;
}

Outcome Forget(Context& context, const ForgetOptions& options) {
  ASSAY_RETURN_IF_ERROR(
      Confirm("Give " + options.name +
                  " up? Its repositories are made again elsewhere, and what "
                  "only it had is lost.",
              options.yes, WithoutTerminal::kRefuse));
  v1::ForgetNodeRequest request;
  request.set_name(FullName("nodes", options.name));
  ASSAY_ASSIGN_OR_RETURN(const auto response,
                         context.server().Call(&Stub::ForgetNode, request));
  if (context.console().json())
    context.console().Json(response);
  else
    context.console().Line(fmt::format(
        "{} is forgotten; {} repositories are made again from their bundles",
        options.name, response.repository_count()));
  return kSuccess;
}

}  // namespace

void AddNodeCommands(CommandLine& line, CLI::App& admin) {
  CLI::App& group = line.Group(
      admin, "node", "Coordinators that share one store (PostgreSQL)");
  line.Add<NoOptions>(group, "list",
                      "Every coordinator: where it is, and since when it has "
                      "said nothing",
                      "  assay admin node list\n"
                      "  assay admin node list --json",
                      List);
  auto drain = line.Add<NameOptions>(
      group, "drain",
      "Let a coordinator grant no more leases, and say that it is not ready, "
      "until it is started again; workers that know another one go there with "
      "what they hold",
      "  assay admin node drain host-a", Drain);
  drain.app.add_option("name", drain.options->name, "Node")->required();
  auto forget = line.Add<ForgetOptions>(
      group, "forget",
      "Give up a coordinator that will not come back: its repositories are "
      "made again elsewhere, from their last bundles",
      "  assay admin node forget host-a\n"
      "  assay admin node forget host-a --yes",
      Forget);
  forget.app.add_option("name", forget.options->name, "Node")->required();
  forget.app.add_flag("--yes", forget.options->yes, "Do not ask");
}

}  // namespace assay::cli
