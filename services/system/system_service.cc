#include "services/system/system_service.h"

#include <utility>

#include "services/identity/identity.h"
#include "services/rpc/register_method.h"
#include "services/rpc/resource_name.h"

namespace assay::system {
namespace {

using storage::Transaction;

constexpr std::size_t kMaxLabel = 200;

Status CheckToken(const v1::CreateTokenRequest& request) {
  if (request.role() == v1::ROLE_CANDIDATE)
    return InvalidArgument(
        "a candidate's token comes by accepting an invitation; invite them");
  if (request.role() == v1::ROLE_NODE)
    return InvalidArgument("coordinators make their tokens themselves");
  if (request.role() == v1::ROLE_UNSPECIFIED ||
      !v1::Role_IsValid(request.role()))
    return InvalidArgument(
        "role is missing; expected admin, author, reviewer, observer or "
        "worker");
  if (request.label().empty() || request.label().size() > kMaxLabel)
    return InvalidArgument("label must say in 1 to ", kMaxLabel,
                           " bytes what the token is for");
  return {};
}

}  // namespace

SystemService::SystemService(storage::Store& store, const Clock& clock,
                             SystemParts parts)
    : store_(store), clock_(clock), parts_(std::move(parts)) {}

void SystemService::Register(rpc::MethodRegistry& registry) {
  const std::string service = "assay.v1.SystemService/";
  rpc::Register(registry, service + "GetSystem", this, &SystemService::Get);
  rpc::Register(registry, service + "CreateToken", this,
                &SystemService::CreateToken);
  rpc::Register(registry, service + "RevokeToken", this,
                &SystemService::RevokeToken);
}

rpc::Async<v1::GetSystemResponse> SystemService::Get(
    rpc::CallContext context, v1::GetSystemRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const storage::RunCounts counts,
      co_await store_.Read([](Transaction& tx) { return tx.runs.Count(); }));
  v1::GetSystemResponse response;
  response.set_version(parts_.version);
  response.set_queued_runs(counts.queued);
  response.set_running_runs(counts.running);
  for (v1::GetSystemResponse::Worker& worker : parts_.workers())
    *response.add_workers() = std::move(worker);
  co_return response;
}

rpc::Async<v1::CreateTokenResponse> SystemService::CreateToken(
    rpc::CallContext context, v1::CreateTokenRequest request) {
  ASSAY_CO_RETURN_IF_ERROR(CheckToken(request));
  const identity::MintedToken token = identity::MintToken();
  ASSAY_CO_RETURN_IF_ERROR(
      co_await store_.Write([token, request, actor = context.caller.label,
                             now = clock_.Now()](Transaction& tx) -> Status {
        ASSAY_RETURN_IF_ERROR(tx.tokens.Create({.id = token.id,
                                                .hash = token.hash,
                                                .role = request.role(),
                                                .label = request.label(),
                                                .create_time = now}));
        return tx.audit.Append(
            {.time = now,
             .actor = actor,
             .action = "token.create",
             .subject = rpc::FormatName("tokens", token.id),
             .detail = v1::Role_Name(request.role()) + ", " + request.label()});
      }));
  v1::CreateTokenResponse response;
  response.set_name(rpc::FormatName("tokens", token.id));
  response.set_token(token.secret);
  co_return response;
}

rpc::Async<v1::RevokeTokenResponse> SystemService::RevokeToken(
    rpc::CallContext context, v1::RevokeTokenRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(const TokenId id,
                            rpc::ParseName<TokenId>("tokens", request.name()));
  ASSAY_CO_RETURN_IF_ERROR(
      co_await store_.Write([id, actor = context.caller.label,
                             now = clock_.Now()](Transaction& tx) -> Status {
        ASSAY_RETURN_IF_ERROR(tx.tokens.Revoke(id, now));
        return tx.audit.Append({.time = now,
                                .actor = actor,
                                .action = "token.revoke",
                                .subject = rpc::FormatName("tokens", id)});
      }));
  co_return v1::RevokeTokenResponse();
}

}  // namespace assay::system
