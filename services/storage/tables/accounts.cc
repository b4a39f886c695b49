#include "services/storage/tables/accounts.h"

#include <utility>

namespace assay::storage {
namespace {

#define ASSAY_ACCOUNT_COLUMNS                         \
  "id, display_name, role, password_hash, disabled, " \
  "create_time, password_time, sign_in_time"

AccountRecord Read(const sql::Row& row) {
  AccountRecord record;
  record.id = row.Text(0);
  record.display_name = row.Text(1);
  record.role = static_cast<v1::Role>(row.Int(2));
  record.password_hash = row.Text(3);
  record.disabled = row.Flag(4);
  record.create_time = row.Time(5);
  record.password_time = row.Time(6);
  record.sign_in_time = row.MaybeTime(7);
  return record;
}

}  // namespace

Status AccountTable::Create(const AccountRecord& record) {
  const auto created = connection_.Execute(
      "INSERT INTO accounts (" ASSAY_ACCOUNT_COLUMNS
      ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
      {record.id, record.display_name, sql::Number(record.role),
       record.password_hash, sql::Flag(record.disabled),
       sql::Time(record.create_time), sql::Time(record.password_time),
       sql::Time(record.sign_in_time)});
  if (created) return {};
  if (created.error().code == Code::kAlreadyExists)
    return Fail(Code::kAlreadyExists, "there is an account \"", record.id,
                "\" already");
  return std::unexpected(created.error());
}

Expected<AccountRecord> AccountTable::Get(const std::string& id) {
  ASSAY_ASSIGN_OR_RETURN(const sql::Result found,
                         connection_.Execute("SELECT " ASSAY_ACCOUNT_COLUMNS
                                             " FROM accounts WHERE id = $1",
                                             {id}));
  if (found.rows.empty()) return NotFound("there is no account \"", id, "\"");
  return Read(found.rows.front());
}

Expected<std::vector<AccountRecord>> AccountTable::List() {
  ASSAY_ASSIGN_OR_RETURN(const sql::Result found,
                         connection_.Execute("SELECT " ASSAY_ACCOUNT_COLUMNS
                                             " FROM accounts ORDER BY id"));
  std::vector<AccountRecord> accounts;
  for (const sql::Row& row : found.rows) accounts.push_back(Read(row));
  return accounts;
}

Status AccountTable::Change(const std::string& id, std::string_view statement,
                            sql::Value value, sql::Value other) {
  std::vector<sql::Value> parameters{id, std::move(value)};
  if (!std::holds_alternative<std::monostate>(other))
    parameters.push_back(std::move(other));
  ASSAY_ASSIGN_OR_RETURN(const sql::Result updated,
                         connection_.Execute(statement, parameters));
  if (updated.affected == 0)
    return NotFound("there is no account \"", id, "\"");
  return {};
}

Status AccountTable::SetRole(const std::string& id, v1::Role role) {
  return Change(id, "UPDATE accounts SET role = $2 WHERE id = $1",
                sql::Number(role));
}

Status AccountTable::SetDisabled(const std::string& id, bool disabled) {
  return Change(id, "UPDATE accounts SET disabled = $2 WHERE id = $1",
                sql::Flag(disabled));
}

Status AccountTable::SetPassword(const std::string& id, const std::string& hash,
                                 Clock::TimePoint now) {
  return Change(id,
                "UPDATE accounts SET password_hash = $2, password_time = $3 "
                "WHERE id = $1",
                hash, sql::Time(now));
}

Status AccountTable::OpenSession(const SessionRecord& record) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "INSERT INTO sessions (hash, account, create_time, use_time, "
      "expire_time, peer) VALUES ($1, $2, $3, $4, $5, $6)",
      {record.hash, record.account, sql::Time(record.create_time),
       sql::Time(record.use_time), sql::Time(record.expire_time),
       record.peer}));
  return Change(record.account,
                "UPDATE accounts SET sign_in_time = $2 WHERE id = $1",
                sql::Time(record.create_time));
}

Expected<SessionRecord> AccountTable::GetSession(const std::string& hash) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT hash, account, create_time, use_time, "
                          "expire_time, peer FROM sessions WHERE hash = $1",
                          {hash}));
  if (found.rows.empty()) return NotFound("no such session");
  const sql::Row& row = found.rows.front();
  return SessionRecord{row.Text(0), row.Text(1), row.Time(2),
                       row.Time(3), row.Time(4), row.Text(5)};
}

Status AccountTable::TouchSession(const std::string& hash,
                                  Clock::TimePoint now) {
  ASSAY_RETURN_IF_ERROR(
      connection_.Execute("UPDATE sessions SET use_time = $2 WHERE hash = $1",
                          {hash, sql::Time(now)}));
  return {};
}

Status AccountTable::EndSession(const std::string& hash) {
  ASSAY_RETURN_IF_ERROR(
      connection_.Execute("DELETE FROM sessions WHERE hash = $1", {hash}));
  return {};
}

Expected<std::int32_t> AccountTable::EndSessions(const std::string& account,
                                                 const std::string& except) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result ended,
      connection_.Execute(
          "DELETE FROM sessions WHERE account = $1 AND hash <> $2",
          {account, except}));
  return static_cast<std::int32_t>(ended.affected);
}

Status AccountTable::EndExpiredSessions(Clock::TimePoint expired_before,
                                        Clock::TimePoint unused_since) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "DELETE FROM sessions WHERE expire_time <= $1 OR use_time <= $2",
      {sql::Time(expired_before), sql::Time(unused_since)}));
  return {};
}

Expected<std::int32_t> AccountTable::CountSessions(const std::string& account,
                                                   Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT COUNT(*) FROM sessions "
                          "WHERE account = $1 AND expire_time > $2",
                          {account, sql::Time(now)}));
  return static_cast<std::int32_t>(found.rows.front().Int(0));
}

}  // namespace assay::storage
