#include "services/identity/account_service.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "services/identity/identity.h"
#include "services/rpc/proto_time.h"
#include "services/rpc/register_method.h"
#include "services/rpc/resource_name.h"

namespace assay::identity {
namespace {

using storage::AccountRecord;
using storage::Transaction;

constexpr std::size_t kMaxId = 40;
constexpr std::size_t kMaxDisplayName = 200;

Status CheckId(const std::string& id) {
  const bool fits =
      !id.empty() && id.size() <= kMaxId &&
      id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-") ==
          std::string::npos;
  if (fits) return {};
  return InvalidArgument("an account's name is 1 to ", kMaxId,
                         " of [a-z0-9._-]; found \"", id.substr(0, 60), "\"");
}

Status CheckRole(v1::Role role) {
  switch (role) {
    case v1::ROLE_ADMIN:
    case v1::ROLE_AUTHOR:
    case v1::ROLE_REVIEWER:
    case v1::ROLE_OBSERVER:
      return {};
    default:
      return InvalidArgument(
          "an account's role is admin, author, reviewer or observer; workers "
          "have tokens and candidates their invitation");
  }
}

Expected<std::string> IdOf(const std::string& name) {
  if (!name.starts_with("accounts/"))
    return InvalidArgument("expected a name like \"accounts/...\", found \"",
                           name.substr(0, 60), "\"");
  return name.substr(std::string_view("accounts/").size());
}

v1::Account ToProto(const AccountRecord& record, std::int32_t sessions) {
  v1::Account proto;
  proto.set_name("accounts/" + record.id);
  proto.set_display_name(record.display_name);
  proto.set_role(record.role);
  proto.set_disabled(record.disabled);
  *proto.mutable_create_time() = rpc::ToProto(record.create_time);
  *proto.mutable_password_time() = rpc::ToProto(record.password_time);
  if (record.sign_in_time)
    *proto.mutable_sign_in_time() = rpc::ToProto(*record.sign_in_time);
  proto.set_session_count(sessions);
  return proto;
}

Expected<v1::Account> Show(Transaction& tx, const std::string& id,
                           Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(const AccountRecord record, tx.accounts.Get(id));
  ASSAY_ASSIGN_OR_RETURN(const std::int32_t sessions,
                         tx.accounts.CountSessions(id, now));
  return ToProto(record, sessions);
}

Status Audit(Transaction& tx, const std::string& actor, const std::string& id,
             const char* action, std::string detail, Clock::TimePoint now) {
  return tx.audit.Append({.time = now,
                          .actor = actor,
                          .action = action,
                          .subject = "accounts/" + id,
                          .detail = std::move(detail)});
}

// "127.0.0.1" of "127.0.0.1", "ipv4:127.0.0.1:5000" and "ipv6:[::1]:5000".
std::string AddressOf(std::string peer) {
  if (!peer.starts_with("ipv")) return peer;
  peer = peer.substr(5, peer.rfind(':') - 5);
  if (peer.starts_with('[')) peer = peer.substr(1, peer.size() - 2);
  return peer;
}

bool IsThisMachine(const std::string& address) {
  return address.starts_with("127.") || address == "::1" ||
         address.starts_with("::ffff:127.");
}

// A password that was given, or one that is made.
struct NewPassword {
  std::string text;
  std::string generated;
};

Expected<NewPassword> TakePassword(const std::string& given) {
  NewPassword password{.text = given, .generated = {}};
  if (given.empty()) password.text = password.generated = MakePassword();
  ASSAY_RETURN_IF_ERROR(CheckPassword(password.text));
  return password;
}

}  // namespace

AccountService::AccountService(storage::Store& store, const Clock& clock,
                               AccountOptions options)
    : store_(store),
      clock_(clock),
      options_(options),
      hasher_(options.cost),
      limit_(clock) {}

void AccountService::Register(rpc::MethodRegistry& registry) {
  const std::string service = "assay.v1.AccountService/";
  rpc::Register(registry, service + "CreateAccount", this,
                &AccountService::Create);
  rpc::Register(registry, service + "ListAccounts", this,
                &AccountService::List);
  rpc::Register(registry, service + "SetAccountRole", this,
                &AccountService::SetRole);
  rpc::Register(registry, service + "SetAccountPassword", this,
                &AccountService::SetPassword);
  rpc::Register(registry, service + "SetAccountDisabled", this,
                &AccountService::SetDisabled);
  rpc::Register(registry, service + "RevokeSessions", this,
                &AccountService::RevokeSessions);
  rpc::Register(registry, service + "SignIn", this, &AccountService::SignIn);
  rpc::Register(registry, service + "SignOut", this, &AccountService::SignOut);
  rpc::Register(registry, service + "GetSelf", this, &AccountService::GetSelf);
  rpc::Register(registry, service + "ChangePassword", this,
                &AccountService::ChangePassword);
}

rpc::Async<v1::CreateAccountResponse> AccountService::Create(
    rpc::CallContext context, v1::CreateAccountRequest request) {
  ASSAY_CO_RETURN_IF_ERROR(CheckId(request.account_id()));
  ASSAY_CO_RETURN_IF_ERROR(CheckRole(request.role()));
  if (request.display_name().size() > kMaxDisplayName)
    co_return InvalidArgument("display_name has more than ", kMaxDisplayName,
                              " bytes");
  ASSAY_CO_ASSIGN_OR_RETURN(const NewPassword password,
                            TakePassword(request.password()));
  AccountRecord record;
  record.id = request.account_id();
  record.display_name = request.display_name();
  record.role = request.role();
  ASSAY_CO_ASSIGN_OR_RETURN(record.password_hash,
                            co_await hasher_.Hash(password.text));
  record.create_time = record.password_time = clock_.Now();
  using Response = v1::CreateAccountResponse;
  ASSAY_CO_ASSIGN_OR_RETURN(
      Response response,
      co_await store_.Write([record, actor = context.caller.label](
                                Transaction& tx) -> Expected<Response> {
        ASSAY_RETURN_IF_ERROR(tx.accounts.Create(record));
        ASSAY_RETURN_IF_ERROR(Audit(tx, actor, record.id, "account.create",
                                    v1::Role_Name(record.role),
                                    record.create_time));
        Response created;
        *created.mutable_account() = ToProto(record, 0);
        return created;
      }));
  response.set_generated_password(password.generated);
  co_return response;
}

rpc::Async<v1::ListAccountsResponse> AccountService::List(
    rpc::CallContext context, v1::ListAccountsRequest request) {
  using Response = v1::ListAccountsResponse;
  co_return co_await store_.Read(
      [now = clock_.Now()](Transaction& tx) -> Expected<Response> {
        ASSAY_ASSIGN_OR_RETURN(const auto records, tx.accounts.List());
        Response response;
        for (const AccountRecord& record : records) {
          ASSAY_ASSIGN_OR_RETURN(const std::int32_t sessions,
                                 tx.accounts.CountSessions(record.id, now));
          *response.add_accounts() = ToProto(record, sessions);
        }
        return response;
      });
}

rpc::Async<v1::SetAccountRoleResponse> AccountService::SetRole(
    rpc::CallContext context, v1::SetAccountRoleRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(const std::string id, IdOf(request.name()));
  ASSAY_CO_RETURN_IF_ERROR(CheckRole(request.role()));
  using Response = v1::SetAccountRoleResponse;
  co_return co_await store_.Write(
      [id, role = request.role(), actor = context.caller.label,
       now = clock_.Now()](Transaction& tx) -> Expected<Response> {
        ASSAY_RETURN_IF_ERROR(tx.accounts.SetRole(id, role));
        ASSAY_RETURN_IF_ERROR(
            Audit(tx, actor, id, "account.role", v1::Role_Name(role), now));
        Response response;
        ASSAY_ASSIGN_OR_RETURN(*response.mutable_account(), Show(tx, id, now));
        return response;
      });
}

rpc::Async<v1::SetAccountPasswordResponse> AccountService::SetPassword(
    rpc::CallContext context, v1::SetAccountPasswordRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(const std::string id, IdOf(request.name()));
  ASSAY_CO_ASSIGN_OR_RETURN(const NewPassword password,
                            TakePassword(request.password()));
  ASSAY_CO_ASSIGN_OR_RETURN(const std::string hash,
                            co_await hasher_.Hash(password.text));
  using Response = v1::SetAccountPasswordResponse;
  ASSAY_CO_ASSIGN_OR_RETURN(
      Response response,
      co_await store_.Write([id, hash, actor = context.caller.label,
                             now = clock_.Now()](
                                Transaction& tx) -> Expected<Response> {
        ASSAY_RETURN_IF_ERROR(tx.accounts.SetPassword(id, hash, now));
        ASSAY_RETURN_IF_ERROR(tx.accounts.EndSessions(id));
        ASSAY_RETURN_IF_ERROR(
            Audit(tx, actor, id, "account.password", "", now));
        Response changed;
        ASSAY_ASSIGN_OR_RETURN(*changed.mutable_account(), Show(tx, id, now));
        return changed;
      }));
  response.set_generated_password(password.generated);
  co_return response;
}

rpc::Async<v1::SetAccountDisabledResponse> AccountService::SetDisabled(
    rpc::CallContext context, v1::SetAccountDisabledRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(const std::string id, IdOf(request.name()));
  using Response = v1::SetAccountDisabledResponse;
  co_return co_await store_.Write(
      [id, disabled = request.disabled(), actor = context.caller.label,
       now = clock_.Now()](Transaction& tx) -> Expected<Response> {
        ASSAY_RETURN_IF_ERROR(tx.accounts.SetDisabled(id, disabled));
        if (disabled) {
          ASSAY_RETURN_IF_ERROR(tx.accounts.EndSessions(id));
        }
        ASSAY_RETURN_IF_ERROR(
            Audit(tx, actor, id,
                  disabled ? "account.disable" : "account.enable", "", now));
        Response response;
        ASSAY_ASSIGN_OR_RETURN(*response.mutable_account(), Show(tx, id, now));
        return response;
      });
}

rpc::Async<v1::RevokeSessionsResponse> AccountService::RevokeSessions(
    rpc::CallContext context, v1::RevokeSessionsRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(const std::string id, IdOf(request.name()));
  using Response = v1::RevokeSessionsResponse;
  co_return co_await store_.Write(
      [id, actor = context.caller.label,
       now = clock_.Now()](Transaction& tx) -> Expected<Response> {
        ASSAY_RETURN_IF_ERROR(tx.accounts.Get(id));
        Response response;
        ASSAY_ASSIGN_OR_RETURN(const std::int32_t ended,
                               tx.accounts.EndSessions(id));
        response.set_revoked(ended);
        ASSAY_RETURN_IF_ERROR(Audit(tx, actor, id, "account.sign_out",
                                    std::to_string(ended) + " sessions", now));
        return response;
      });
}

rpc::Async<AccountRecord> AccountService::Prove(std::string id,
                                                std::string password,
                                                std::string address) {
  // What could be no account's is not worth a key of its own.
  const std::string known = CheckId(id) ? id : "";
  ASSAY_CO_RETURN_IF_ERROR(limit_.Admit(known, address));
  Expected<AccountRecord> account = co_await store_.Read(
      [known](Transaction& tx) { return tx.accounts.Get(known); });
  if (!account && account.error().code != Code::kNotFound) co_return account;
  const bool usable = account && !account->disabled;
  ASSAY_CO_ASSIGN_OR_RETURN(
      const bool right,
      co_await hasher_.Verify(usable ? account->password_hash : "",
                              password.substr(0, 4'096)));
  if (!right) {
    spdlog::warn("sign-in refused from {}", address);
    co_return Unauthenticated("the name or the password is wrong");
  }
  limit_.Succeeded(known, address);
  co_return account;
}

rpc::Async<v1::SignInResponse> AccountService::SignIn(
    rpc::CallContext context, v1::SignInRequest request) {
  const std::string address = AddressOf(context.peer);
  if (!options_.https && !IsThisMachine(address))
    co_return FailedPrecondition(
        "a password would travel here for others to read: put https in front "
        "of the web port and start assayd with its --public-url, or sign in "
        "with a token");
  ASSAY_CO_ASSIGN_OR_RETURN(
      const AccountRecord account,
      co_await Prove(request.account_id(), request.password(), address));
  const MintedToken secret = MintToken();
  const Clock::TimePoint now = clock_.Now();
  const storage::SessionRecord session{.hash = secret.hash,
                                       .account = account.id,
                                       .create_time = now,
                                       .use_time = now,
                                       .expire_time = now + kSessionLife,
                                       .peer = address};
  using Response = v1::SignInResponse;
  ASSAY_CO_ASSIGN_OR_RETURN(
      Response response,
      co_await store_.Write(
          [session, now](Transaction& tx) -> Expected<Response> {
            ASSAY_RETURN_IF_ERROR(
                tx.accounts.EndExpiredSessions(now, now - kSessionRest));
            ASSAY_RETURN_IF_ERROR(tx.accounts.OpenSession(session));
            ASSAY_RETURN_IF_ERROR(Audit(tx, session.account, session.account,
                                        "account.sign_in", session.peer, now));
            Response opened;
            ASSAY_ASSIGN_OR_RETURN(*opened.mutable_account(),
                                   Show(tx, session.account, now));
            return opened;
          }));
  response.set_session_secret(secret.secret);
  *response.mutable_expire_time() = rpc::ToProto(session.expire_time);
  co_return response;
}

rpc::Async<v1::SignOutResponse> AccountService::SignOut(
    rpc::CallContext context, v1::SignOutRequest request) {
  const std::string session = SessionHashOf(context.caller);
  if (!session.empty()) {
    ASSAY_CO_RETURN_IF_ERROR(co_await store_.Write([session](Transaction& tx) {
      return tx.accounts.EndSession(session);
    }));
  }
  co_return v1::SignOutResponse();
}

rpc::Async<v1::GetSelfResponse> AccountService::GetSelf(
    rpc::CallContext context, v1::GetSelfRequest request) {
  v1::GetSelfResponse response;
  response.set_role(context.caller.role);
  response.set_label(context.caller.label);
  if (SessionHashOf(context.caller).empty()) co_return response;
  ASSAY_CO_ASSIGN_OR_RETURN(
      *response.mutable_account(),
      co_await store_.Read([id = context.caller.label, now = clock_.Now()](
                               Transaction& tx) { return Show(tx, id, now); }));
  co_return response;
}

rpc::Async<v1::ChangePasswordResponse> AccountService::ChangePassword(
    rpc::CallContext context, v1::ChangePasswordRequest request) {
  const std::string session = SessionHashOf(context.caller);
  if (session.empty())
    co_return FailedPrecondition("a token has no password to change");
  ASSAY_CO_RETURN_IF_ERROR(CheckPassword(request.new_password()));
  const auto proven =
      co_await Prove(context.caller.label, request.current_password(),
                     AddressOf(context.peer));
  // Not UNAUTHENTICATED: the session is good, and the page stays.
  if (!proven && proven.error().code == Code::kUnauthenticated)
    co_return InvalidArgument("the current password is wrong");
  if (!proven) co_return std::unexpected(proven.error());
  ASSAY_CO_ASSIGN_OR_RETURN(const std::string hash,
                            co_await hasher_.Hash(request.new_password()));
  ASSAY_CO_RETURN_IF_ERROR(
      co_await store_.Write([id = context.caller.label, hash, session,
                             now = clock_.Now()](Transaction& tx) -> Status {
        ASSAY_RETURN_IF_ERROR(tx.accounts.SetPassword(id, hash, now));
        ASSAY_RETURN_IF_ERROR(tx.accounts.EndSessions(id, session));
        return Audit(tx, id, id, "account.password", "by its owner", now);
      }));
  co_return v1::ChangePasswordResponse();
}

}  // namespace assay::identity
