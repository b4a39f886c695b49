#ifndef ASSAY_SERVICES_IDENTITY_ACCOUNT_SERVICE_H_
#define ASSAY_SERVICES_IDENTITY_ACCOUNT_SERVICE_H_

#include <string>

#include "assay/v1/account_service.pb.h"
#include "proto/base/clock.h"
#include "services/identity/password.h"
#include "services/identity/sign_in_limit.h"
#include "services/rpc/method_registry.h"
#include "services/storage/store.h"

namespace assay::identity {

struct AccountOptions {
  // Browsers reach this over https, so that nobody on the way reads along.
  // Otherwise passwords are taken from this machine only.
  bool https = false;
  PasswordCost cost;
};

// assay.v1.AccountService.
//
// Ownership: borrows store and clock.
// Threads: confined to the coordinator's strand.
class AccountService {
 public:
  AccountService(storage::Store& store, const Clock& clock,
                 AccountOptions options);
  void Register(rpc::MethodRegistry& registry);

 private:
  template <class T>
  using Async = rpc::Async<T>;

  Async<v1::CreateAccountResponse> Create(rpc::CallContext context,
                                          v1::CreateAccountRequest request);
  Async<v1::ListAccountsResponse> List(rpc::CallContext context,
                                       v1::ListAccountsRequest request);
  Async<v1::SetAccountRoleResponse> SetRole(rpc::CallContext context,
                                            v1::SetAccountRoleRequest request);
  Async<v1::SetAccountPasswordResponse> SetPassword(
      rpc::CallContext context, v1::SetAccountPasswordRequest request);
  Async<v1::SetAccountDisabledResponse> SetDisabled(
      rpc::CallContext context, v1::SetAccountDisabledRequest request);
  Async<v1::RevokeSessionsResponse> RevokeSessions(
      rpc::CallContext context, v1::RevokeSessionsRequest request);
  Async<v1::SignInResponse> SignIn(rpc::CallContext context,
                                   v1::SignInRequest request);
  Async<v1::SignOutResponse> SignOut(rpc::CallContext context,
                                     v1::SignOutRequest request);
  Async<v1::GetSelfResponse> GetSelf(rpc::CallContext context,
                                     v1::GetSelfRequest request);
  Async<v1::ChangePasswordResponse> ChangePassword(
      rpc::CallContext context, v1::ChangePasswordRequest request);

  // The account, if the password is its own and it is in use.
  Async<storage::AccountRecord> Prove(std::string id, std::string password,
                                      std::string address);

  storage::Store& store_;
  const Clock& clock_;
  const AccountOptions options_;
  PasswordHasher hasher_;
  SignInLimit limit_;
};

}  // namespace assay::identity

#endif  // ASSAY_SERVICES_IDENTITY_ACCOUNT_SERVICE_H_
