#include <fmt/format.h>

#include <tuple>

#include "assay/v1/account_service.grpc.pb.h"
#include "services/cli/command_line.h"
#include "services/cli/confirm.h"
#include "services/cli/printable.h"
#include "services/cli/resource_name.h"
#include "services/cli/role_text.h"
#include "services/cli/secret_input.h"
#include "services/cli/time_text.h"

namespace assay::cli {
namespace {

using Stub = v1::AccountService::Stub;

struct AddOptions {
  std::string name;
  std::string role;
  std::string display_name;
  std::string password_file;
};
struct RoleOptions {
  std::string name;
  std::string role;
};
struct PasswordOptions {
  std::string name;
  std::string password_file;
};
struct NameOptions {
  std::string name;
};
struct DisableOptions {
  std::string name;
  bool yes = false;
};
struct NoOptions {};

void ShowGenerated(Console& console, const std::string& password) {
  if (password.empty()) return;
  console.Fields({{"password", password}});
  console.Note("This is the only copy of the password.");
}

Outcome AddUser(Context& context, const AddOptions& options) {
  v1::CreateAccountRequest request;
  request.set_account_id(options.name);
  request.set_display_name(options.display_name);
  ASSAY_ASSIGN_OR_RETURN(const v1::Role role, RoleFrom(options.role));
  request.set_role(role);
  ASSAY_ASSIGN_OR_RETURN(*request.mutable_password(),
                         ReadPassword(options.password_file));
  ASSAY_ASSIGN_OR_RETURN(const auto response,
                         context.server().Call(&Stub::CreateAccount, request));
  Console& console = context.console();
  if (console.json()) {
    console.Json(response);
    return kSuccess;
  }
  console.Fields({{"account", ShortName(response.account().name())},
                  {"role", RoleText(response.account().role())}});
  ShowGenerated(console, response.generated_password());
  return kSuccess;
}

Outcome ListUsers(Context& context, const NoOptions&) {
  ASSAY_ASSIGN_OR_RETURN(
      const auto response,
      context.server().Call(&Stub::ListAccounts, v1::ListAccountsRequest()));
  Console& console = context.console();
  if (console.json()) {
    console.Json(response);
    return kSuccess;
  }
  std::vector<std::vector<std::string>> rows;
  for (const v1::Account& account : response.accounts())
    rows.push_back({ShortName(account.name()), RoleText(account.role()),
                    account.disabled() ? "disabled" : "in use",
                    TimeText(account.sign_in_time()),
                    std::to_string(account.session_count()),
                    Printable(account.display_name())});
  console.Table(
      {"ACCOUNT", "ROLE", "STATE", "LAST SIGN-IN", "SESSIONS", "NAME"}, rows);
  return kSuccess;
}

Outcome SetRole(Context& context, const RoleOptions& options) {
  v1::SetAccountRoleRequest request;
  request.set_name(FullName("accounts", options.name));
  ASSAY_ASSIGN_OR_RETURN(const v1::Role role, RoleFrom(options.role));
  request.set_role(role);
  ASSAY_ASSIGN_OR_RETURN(const auto response,
                         context.server().Call(&Stub::SetAccountRole, request));
  if (context.console().json()) context.console().Json(response);
  return kSuccess;
}

Outcome SetPassword(Context& context, const PasswordOptions& options) {
  v1::SetAccountPasswordRequest request;
  request.set_name(FullName("accounts", options.name));
  ASSAY_ASSIGN_OR_RETURN(*request.mutable_password(),
                         ReadPassword(options.password_file));
  ASSAY_ASSIGN_OR_RETURN(
      const auto response,
      context.server().Call(&Stub::SetAccountPassword, request));
  if (context.console().json()) {
    context.console().Json(response);
    return kSuccess;
  }
  ShowGenerated(context.console(), response.generated_password());
  return kSuccess;
}

Outcome SetDisabled(Context& context, const std::string& name, bool disabled) {
  v1::SetAccountDisabledRequest request;
  request.set_name(FullName("accounts", name));
  request.set_disabled(disabled);
  ASSAY_ASSIGN_OR_RETURN(
      const auto response,
      context.server().Call(&Stub::SetAccountDisabled, request));
  if (context.console().json()) context.console().Json(response);
  return kSuccess;
}

Outcome Disable(Context& context, const DisableOptions& options) {
  // `enable` undoes it, so a script that says it means it.
  ASSAY_RETURN_IF_ERROR(
      Confirm("Take " + options.name +
                  " out of use? They are signed out and cannot come back.",
              options.yes, WithoutTerminal::kGoAhead));
  return SetDisabled(context, options.name, true);
}

Outcome Enable(Context& context, const NameOptions& options) {
  return SetDisabled(context, options.name, false);
}

Outcome SignOut(Context& context, const NameOptions& options) {
  v1::RevokeSessionsRequest request;
  request.set_name(FullName("accounts", options.name));
  ASSAY_ASSIGN_OR_RETURN(const auto response,
                         context.server().Call(&Stub::RevokeSessions, request));
  if (context.console().json())
    context.console().Json(response);
  else
    context.console().Note(
        fmt::format("{} sessions ended", response.revoked()));
  return kSuccess;
}

Outcome ShowSelf(Context& context, const NoOptions&) {
  ASSAY_ASSIGN_OR_RETURN(
      const auto self,
      context.server().Call(&Stub::GetSelf, v1::GetSelfRequest()));
  Console& console = context.console();
  if (console.json()) {
    console.Json(self);
    return kSuccess;
  }
  console.Fields({{"role", RoleText(self.role())},
                  {self.has_account() ? "account" : "token for",
                   Printable(self.label())}});
  return kSuccess;
}

constexpr char kPasswordHelp[] =
    "File with the password in its first line, - for standard input "
    "[asked for on a terminal; else one is made and shown]";

// Signs in for the time of the change: a token is nobody's account.
Outcome ChangeOwnPassword(Context& context, const PasswordOptions& options) {
  ServerOptions way = context.server().options();
  if (way.address.find("://") != std::string::npos)
    return FailedPrecondition(
        "passwords are changed over gRPC or in the dashboard, under Account; "
        "say --server HOST:PORT, or open ",
        way.address, "/account");
  ASSAY_ASSIGN_OR_RETURN(const PasswordChange change,
                         ReadPasswordChange(options.password_file));
  v1::SignInRequest sign_in;
  sign_in.set_account_id(options.name);
  sign_in.set_password(change.current);
  way.token.clear();
  ASSAY_ASSIGN_OR_RETURN(const auto signed_in,
                         Server(way).Call(&Stub::SignIn, sign_in));
  way.session = signed_in.session_secret();
  Server own(way);
  v1::ChangePasswordRequest request;
  request.set_current_password(change.current);
  request.set_new_password(change.next);
  const auto changed = own.Call(&Stub::ChangePassword, request);
  // The session was for this alone, also where nothing was changed.
  std::ignore = own.Call(&Stub::SignOut, v1::SignOutRequest());
  if (!changed) return std::unexpected(changed.error());
  if (context.console().json())
    context.console().Json(*changed);
  else
    context.console().Line("Changed. Other sessions have ended.");
  return kSuccess;
}

}  // namespace

void AddUserCommands(CommandLine& line, CLI::App& admin) {
  CLI::App& group =
      line.Group(admin, "user", "Accounts that sign in to the dashboard");
  auto add = line.Add<AddOptions>(
      group, "add", "Make an account",
      "  assay admin user add grace --role reviewer --display-name \"Grace "
      "H.\"\n"
      "  assay admin user add ada --role author --password-file - < secret",
      AddUser);
  add.app
      .add_option("name", add.options->name,
                  "What is typed to sign in: 1 to 40 of [a-z0-9._-]")
      ->required();
  add.app
      .add_option("--role", add.options->role,
                  "admin, author, reviewer or observer")
      ->required();
  add.app.add_option("--display-name", add.options->display_name,
                     "As people call them");
  add.app.add_option("--password-file", add.options->password_file,
                     kPasswordHelp);
  line.Add<NoOptions>(group, "list", "Every account", "  assay admin user list",
                      ListUsers);
  auto role = line.Add<RoleOptions>(
      group, "set-role", "Give an account another role, from its next call on",
      "  assay admin user set-role grace author", SetRole);
  role.app.add_option("name", role.options->name, "Account")->required();
  role.app
      .add_option("role", role.options->role,
                  "admin, author, reviewer or observer")
      ->required();
  auto password = line.Add<PasswordOptions>(
      group, "set-password", "Set a password and end the account's sessions",
      "  assay admin user set-password grace", SetPassword);
  password.app.add_option("name", password.options->name, "Account")
      ->required();
  password.app.add_option("--password-file", password.options->password_file,
                          kPasswordHelp);
  auto disable = line.Add<DisableOptions>(
      group, "disable", "Take an account out of use and end its sessions",
      "  assay admin user disable grace", Disable);
  disable.app.add_option("name", disable.options->name, "Account")->required();
  disable.app.add_flag("--yes", disable.options->yes, "Do not ask");
  auto enable =
      line.Add<NameOptions>(group, "enable", "Put an account back to use",
                            "  assay admin user enable grace", Enable);
  enable.app.add_option("name", enable.options->name, "Account")->required();
  auto out = line.Add<NameOptions>(
      group, "sign-out", "End every session of an account",
      "  assay admin user sign-out grace", SignOut);
  out.app.add_option("name", out.options->name, "Account")->required();
}

void AddAccountCommands(CommandLine& line) {
  CLI::App& group = line.Group(line.app(), "account", "Who you are here");
  line.Add<NoOptions>(group, "show", "What your token is for, and may do",
                      "  assay account show", ShowSelf);
  auto password = line.Add<PasswordOptions>(
      group, "password", "Change your own password; ends your other sessions",
      "  assay account password grace\n"
      "  assay account password grace --password-file - < both",
      ChangeOwnPassword);
  password.app
      .add_option("name", password.options->name, "What you sign in as")
      ->required();
  password.app.add_option("--password-file", password.options->password_file,
                          "File with the current and the new password, each "
                          "on a line; - reads standard input");
}

}  // namespace assay::cli
