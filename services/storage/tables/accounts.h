#ifndef ASSAY_SERVICES_STORAGE_TABLES_ACCOUNTS_H_
#define ASSAY_SERVICES_STORAGE_TABLES_ACCOUNTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "assay/v1/access.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "services/storage/sql/connection.h"

namespace assay::storage {

// Somebody who signs in with a password.
struct AccountRecord {
  std::string id;  // what is typed to sign in
  std::string display_name;
  v1::Role role = v1::ROLE_UNSPECIFIED;
  // argon2id with its salt and cost, as libsodium writes it.
  std::string password_hash;
  bool disabled = false;
  Clock::TimePoint create_time;
  Clock::TimePoint password_time;
  std::optional<Clock::TimePoint> sign_in_time;
};

// A browser that is signed in. Deleted when it ends.
struct SessionRecord {
  std::string hash;  // SHA-256 of the cookie's secret, 64 hex digits
  std::string account;
  Clock::TimePoint create_time;
  // When it was last seen, to within a few minutes.
  Clock::TimePoint use_time;
  // When it ends however it is used.
  Clock::TimePoint expire_time;
  // Address that signed in.
  std::string peer;
};

// Accounts and their sessions.
class AccountTable {
 public:
  explicit AccountTable(sql::Connection& connection)
      : connection_(connection) {}

  // kAlreadyExists: the name is taken.
  Status Create(const AccountRecord& record);
  // kNotFound: no such account.
  Expected<AccountRecord> Get(const std::string& id);
  // By name.
  Expected<std::vector<AccountRecord>> List();
  // kNotFound: no such account.
  Status SetRole(const std::string& id, v1::Role role);
  Status SetDisabled(const std::string& id, bool disabled);
  Status SetPassword(const std::string& id, const std::string& hash,
                     Clock::TimePoint now);

  // Opens a session, and says so in the account.
  Status OpenSession(const SessionRecord& record);
  // Also one that has expired: the caller judges by its clock.
  Expected<SessionRecord> GetSession(const std::string& hash);
  Status TouchSession(const std::string& hash, Clock::TimePoint now);
  // Ended or unknown before: accepted.
  Status EndSession(const std::string& hash);
  // Ends the account's sessions but `except`; answers how many.
  Expected<std::int32_t> EndSessions(const std::string& account,
                                     const std::string& except = "");
  Status EndExpiredSessions(Clock::TimePoint expired_before,
                            Clock::TimePoint unused_since);
  Expected<std::int32_t> CountSessions(const std::string& account,
                                       Clock::TimePoint now);

 private:
  Status Change(const std::string& id, std::string_view statement,
                sql::Value value, sql::Value other = {});

  sql::Connection& connection_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_ACCOUNTS_H_
