#include "services/nodes/node_service.h"

#include <map>
#include <utility>
#include <vector>

#include "services/rpc/proto_time.h"
#include "services/rpc/register_method.h"

namespace assay::nodes {
namespace {

using storage::NodeRecord;
using storage::Transaction;

Expected<std::string> ParseNode(const std::string& name) {
  constexpr std::string_view kPrefix = "nodes/";
  const std::string id =
      name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : std::string();
  if (IsNodeName(id)) return id;
  return InvalidArgument("expected a name like \"nodes/...\", found \"",
                         name.substr(0, 100), "\"");
}

Status Audit(Transaction& tx, const std::string& action,
             const std::string& name, const std::string& actor,
             Clock::TimePoint now) {
  return tx.audit.Append({.time = now,
                          .actor = actor,
                          .action = action,
                          .subject = "nodes/" + name});
}

std::int32_t CountOf(const std::map<std::string, std::int32_t>& counts,
                     const std::string& name) {
  const auto it = counts.find(name);
  return it == counts.end() ? 0 : it->second;
}

}  // namespace

NodeService::NodeService(storage::Store& store, const Clock& clock,
                         const Membership& membership,
                         std::function<v1::NodeLoad()> load,
                         std::function<void()> on_changed)
    : store_(store),
      clock_(clock),
      membership_(membership),
      load_(std::move(load)),
      on_changed_(std::move(on_changed)) {}

void NodeService::Register(rpc::MethodRegistry& registry) {
  const std::string service = "assay.v1.NodeService/";
  rpc::Register(registry, service + "ListNodes", this, &NodeService::List);
  rpc::Register(registry, service + "DrainNode", this, &NodeService::Drain);
  rpc::Register(registry, service + "ForgetNode", this, &NodeService::Forget);
}

v1::Node NodeService::ToProto(const NodeRecord& record) const {
  v1::Node node;
  const bool self = record.name == membership_.name();
  node.set_name("nodes/" + record.name);
  switch (membership_.StandingOf(record)) {
    case Membership::Standing::kLive:
      node.set_state(record.draining ? v1::Node::STATE_DRAINING
                                     : v1::Node::STATE_ACTIVE);
      break;
    case Membership::Standing::kSilent:
      node.set_state(v1::Node::STATE_SILENT);
      break;
    case Membership::Standing::kLost:
      node.set_state(v1::Node::STATE_LOST);
      break;
  }
  node.set_grpc_address(record.grpc_address);
  node.set_web_address(record.web_address);
  node.set_version(record.version);
  *node.mutable_start_time() = rpc::ToProto(record.start_time);
  *node.mutable_heartbeat_time() =
      rpc::ToProto(self ? clock_.Now() : record.heartbeat);
  *node.mutable_load() = self ? load_() : record.load;
  node.set_self(self);
  return node;
}

rpc::Async<v1::ListNodesResponse> NodeService::List(
    rpc::CallContext context, v1::ListNodesRequest request) {
  struct Found {
    std::vector<NodeRecord> nodes;
    std::map<std::string, std::int32_t> repositories;
  };
  ASSAY_CO_ASSIGN_OR_RETURN(
      const Found found,
      co_await store_.Read([](Transaction& tx) -> Expected<Found> {
        Found all;
        ASSAY_ASSIGN_OR_RETURN(all.nodes, tx.nodes.List());
        ASSAY_ASSIGN_OR_RETURN(all.repositories, tx.repositories.CountByHome());
        return all;
      }));
  v1::ListNodesResponse response;
  for (const NodeRecord& record : found.nodes) {
    v1::Node& node = *response.add_nodes() = ToProto(record);
    node.set_repository_count(CountOf(found.repositories, record.name));
  }
  co_return response;
}

rpc::Async<v1::DrainNodeResponse> NodeService::Drain(
    rpc::CallContext context, v1::DrainNodeRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(const std::string name, ParseNode(request.name()));
  ASSAY_CO_ASSIGN_OR_RETURN(
      const NodeRecord record,
      co_await store_.Write(
          [name, actor = context.caller.label,
           now = clock_.Now()](Transaction& tx) -> Expected<NodeRecord> {
            ASSAY_ASSIGN_OR_RETURN(const NodeRecord before, tx.nodes.Get(name));
            if (before.draining) return before;
            ASSAY_RETURN_IF_ERROR(Audit(tx, "node.drain", name, actor, now));
            return tx.nodes.Drain(name);
          }));
  on_changed_();
  v1::DrainNodeResponse response;
  *response.mutable_node() = ToProto(record);
  co_return response;
}

rpc::Async<v1::ForgetNodeResponse> NodeService::Forget(
    rpc::CallContext context, v1::ForgetNodeRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(const std::string name, ParseNode(request.name()));
  ASSAY_CO_ASSIGN_OR_RETURN(const NodeRecord record,
                            co_await store_.Read([name](Transaction& tx) {
                              return tx.nodes.Get(name);
                            }));
  if (membership_.StandingOf(record) == Membership::Standing::kLive)
    co_return FailedPrecondition(
        "node ", name,
        " is alive: stop its assayd first; its repositories are there");
  ASSAY_CO_ASSIGN_OR_RETURN(
      const std::int32_t left,
      co_await store_.Write([name, seen = record.heartbeat,
                             actor = context.caller.label, now = clock_.Now()](
                                Transaction& tx) -> Expected<std::int32_t> {
        ASSAY_ASSIGN_OR_RETURN(const NodeRecord current, tx.nodes.Get(name));
        if (current.heartbeat != seen)
          return FailedPrecondition("node ", name, " has come back");
        ASSAY_RETURN_IF_ERROR(tx.nodes.Forget(name));
        ASSAY_RETURN_IF_ERROR(tx.tokens.RemoveOfNode("nodes/" + name));
        ASSAY_RETURN_IF_ERROR(Audit(tx, "node.forget", name, actor, now));
        ASSAY_ASSIGN_OR_RETURN(const auto counts,
                               tx.repositories.CountByHome());
        return CountOf(counts, name);
      }));
  on_changed_();
  v1::ForgetNodeResponse response;
  response.set_repository_count(left);
  co_return response;
}

}  // namespace assay::nodes
