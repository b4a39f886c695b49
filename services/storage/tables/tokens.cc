#include "services/storage/tables/tokens.h"

namespace assay::storage {

Status TokenTable::Create(const TokenRecord& record) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "INSERT INTO tokens (id, hash, role, label, scope, attempt, repository, "
      "create_time, expire_time, revoke_time) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
      {record.id.str(), record.hash, sql::Number(record.role), record.label,
       sql::Number(static_cast<int>(record.scope)), record.attempt.str(),
       record.repository.str(), sql::Time(record.create_time),
       sql::Time(record.expire_time), sql::Time(record.revoke_time)}));
  return {};
}

Expected<TokenRecord> TokenTable::GetByHash(const std::string& hash) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          "SELECT id, hash, role, label, scope, attempt, repository, "
          "create_time, expire_time, revoke_time FROM tokens WHERE hash = $1",
          {hash}));
  if (found.rows.empty()) return NotFound("no such token");
  const sql::Row& row = found.rows.front();
  TokenRecord record;
  record.id = TokenId(row.Text(0));
  record.hash = row.Text(1);
  record.role = static_cast<v1::Role>(row.Int(2));
  record.label = row.Text(3);
  record.scope = static_cast<TokenRecord::Scope>(row.Int(4));
  record.attempt = AttemptId(row.Text(5));
  record.repository = RepositoryId(row.Text(6));
  record.create_time = row.Time(7);
  record.expire_time = row.MaybeTime(8);
  record.revoke_time = row.MaybeTime(9);
  return record;
}

Status TokenTable::Revoke(const TokenId& id, Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result updated,
      connection_.Execute("UPDATE tokens SET revoke_time = "
                          "COALESCE(revoke_time, $2) WHERE id = $1",
                          {id.str(), sql::Time(now)}));
  if (updated.affected == 0) return NotFound("there is no token ", id);
  return {};
}

Status TokenTable::RevokeOfAttempt(const AttemptId& attempt,
                                   Clock::TimePoint now) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "UPDATE tokens SET revoke_time = COALESCE(revoke_time, $2) "
      "WHERE attempt = $1 AND attempt <> ''",
      {attempt.str(), sql::Time(now)}));
  return {};
}

Status TokenTable::ReplaceOfNode(const TokenRecord& record) {
  ASSAY_RETURN_IF_ERROR(RemoveOfNode(record.label));
  return Create(record);
}

// Not kept as revoked: each start of a node would leave a row for ever.
Status TokenTable::RemoveOfNode(const std::string& label) {
  ASSAY_RETURN_IF_ERROR(
      connection_.Execute("DELETE FROM tokens WHERE role = $1 AND label = $2",
                          {sql::Number(v1::ROLE_NODE), label}));
  return {};
}

Expected<bool> TokenTable::HasRole(v1::Role role) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          "SELECT 1 FROM tokens WHERE role = $1 AND scope = $2 AND "
          "revoke_time IS NULL LIMIT 1",
          {sql::Number(role),
           sql::Number(static_cast<int>(TokenRecord::Scope::kApi))}));
  return !found.rows.empty();
}

Status TokenTable::DeleteExpired(Clock::TimePoint time) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "DELETE FROM tokens WHERE scope <> $1 AND expire_time < $2",
      {sql::Number(static_cast<int>(TokenRecord::Scope::kApi)),
       sql::Time(time)}));
  return {};
}

}  // namespace assay::storage
