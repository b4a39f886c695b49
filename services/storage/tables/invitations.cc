#include "services/storage/tables/invitations.h"

#include "services/storage/sql/cursor.h"

namespace assay::storage {
namespace {

constexpr char kSelect[] =
    "SELECT id, assignment, assignment_version, candidate_name, "
    "candidate_email, secret_hash, state, create_time, expire_time, attempt, "
    "accommodation FROM invitations ";

InvitationRecord Read(const sql::Row& row) {
  InvitationRecord record;
  record.id = InvitationId(row.Text(0));
  record.assignment = AssignmentId(row.Text(1));
  record.assignment_version = static_cast<std::int32_t>(row.Int(2));
  record.candidate_name = row.Text(3);
  record.candidate_email = row.Text(4);
  record.secret_hash = row.Text(5);
  record.state = static_cast<v1::Invitation::State>(row.Int(6));
  record.create_time = row.Time(7);
  record.expire_time = row.Time(8);
  record.attempt = AttemptId(row.Text(9));
  record.accommodation = row.Real(10);
  return record;
}

}  // namespace

Status InvitationTable::Create(const InvitationRecord& record) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "INSERT INTO invitations (id, assignment, assignment_version, "
      "candidate_name, candidate_email, secret_hash, state, create_time, "
      "expire_time, attempt, accommodation) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
      {record.id.str(), record.assignment.str(),
       sql::Number(record.assignment_version), record.candidate_name,
       record.candidate_email, record.secret_hash, sql::Number(record.state),
       sql::Time(record.create_time), sql::Time(record.expire_time),
       record.attempt.str(), record.accommodation}));
  return {};
}

Expected<InvitationRecord> InvitationTable::Get(const InvitationId& id) {
  static const std::string kGet = std::string(kSelect) + "WHERE id = $1";
  ASSAY_ASSIGN_OR_RETURN(const sql::Result found,
                         connection_.Execute(kGet, {id.str()}));
  if (found.rows.empty()) return NotFound("there is no invitation ", id);
  return Read(found.rows.front());
}

Expected<InvitationRecord> InvitationTable::GetBySecretHash(
    const std::string& hash) {
  static const std::string kGet =
      std::string(kSelect) +
      "WHERE secret_hash = $1 OR id IN "
      "(SELECT invitation FROM invitation_links WHERE secret_hash = $1)";
  ASSAY_ASSIGN_OR_RETURN(const sql::Result found,
                         connection_.Execute(kGet, {hash}));
  if (found.rows.empty())
    return NotFound(
        "no invitation has this secret; it may have been replaced "
        "by a newer link");
  return Read(found.rows.front());
}

Expected<PageOf<InvitationRecord>> InvitationTable::List(
    const AssignmentId& assignment, const Page& page) {
  static const std::string kAll =
      std::string(kSelect) +
      "WHERE (create_time < $2 OR (create_time = $2 AND id < $3)) "
      "ORDER BY create_time DESC, id DESC LIMIT $4";
  static const std::string kOfAssignment =
      std::string(kSelect) +
      "WHERE assignment = $1 AND "
      "(create_time < $2 OR (create_time = $2 AND id < $3)) "
      "ORDER BY create_time DESC, id DESC LIMIT $4";
  ASSAY_ASSIGN_OR_RETURN(const sql::Cursor after,
                         sql::ParseCursor(page, sql::Newest()));
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(assignment.empty() ? kAll : kOfAssignment,
                          {assignment.str(), after.time, after.id,
                           sql::Number(sql::PageSize(page) + 1)}));
  return sql::MakePage<InvitationRecord>(
      found, page, Read, [](const InvitationRecord& record) {
        return sql::Cursor{ToMicros(record.create_time), record.id.str()};
      });
}

Status InvitationTable::MarkAccepted(const InvitationId& id,
                                     const AttemptId& attempt) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result updated,
      connection_.Execute(
          "UPDATE invitations SET state = $2, attempt = $3 "
          "WHERE id = $1 AND state = $4",
          {id.str(), sql::Number(v1::Invitation::STATE_ACCEPTED), attempt.str(),
           sql::Number(v1::Invitation::STATE_PENDING)}));
  if (updated.affected == 0)
    return Aborted("invitation ", id, " is no longer pending");
  return {};
}

Status InvitationTable::MarkRevoked(const InvitationId& id) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result updated,
      connection_.Execute(
          "UPDATE invitations SET state = $2 WHERE id = $1 AND state = $3",
          {id.str(), sql::Number(v1::Invitation::STATE_REVOKED),
           sql::Number(v1::Invitation::STATE_PENDING)}));
  if (updated.affected == 0)
    return Aborted("invitation ", id, " is no longer pending");
  return {};
}

Status InvitationTable::Erase(const InvitationId& id) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "UPDATE invitations SET candidate_name = '', candidate_email = '' "
      "WHERE id = $1",
      {id.str()}));
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "DELETE FROM invitation_links WHERE invitation = $1", {id.str()}));
  return {};
}

Status InvitationTable::ReplaceSecret(const InvitationId& id,
                                      const std::string& hash,
                                      Clock::TimePoint expire_time) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result updated,
      connection_.Execute("UPDATE invitations SET secret_hash = $2, "
                          "expire_time = $3 WHERE id = $1",
                          {id.str(), hash, sql::Time(expire_time)}));
  if (updated.affected == 0) return NotFound("there is no invitation ", id);
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "DELETE FROM invitation_links WHERE invitation = $1", {id.str()}));
  return {};
}

Expected<std::vector<InvitationRecord>> InvitationTable::ListOpen(
    const std::string& email, Clock::TimePoint now, std::int32_t limit) {
  static const std::string kOpen =
      std::string(kSelect) +
      "WHERE LOWER(candidate_email) = LOWER($1) AND candidate_email <> '' AND "
      "(state = $2 OR (state = $3 AND expire_time > $4)) "
      "ORDER BY create_time DESC, id DESC LIMIT $5";
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          kOpen, {email, sql::Number(v1::Invitation::STATE_ACCEPTED),
                  sql::Number(v1::Invitation::STATE_PENDING), sql::Time(now),
                  sql::Number(limit)}));
  std::vector<InvitationRecord> records;
  for (const sql::Row& row : found.rows) records.push_back(Read(row));
  return records;
}

Status InvitationTable::AddSecret(const InvitationId& id,
                                  const std::string& hash,
                                  Clock::TimePoint now) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "INSERT INTO invitation_links (secret_hash, invitation, create_time) "
      "VALUES ($1, $2, $3)",
      {hash, id.str(), sql::Time(now)}));
  return {};
}

Expected<std::int64_t> InvitationTable::CountSecretsSince(
    const InvitationId& id, Clock::TimePoint from) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result counted,
      connection_.Execute("SELECT COUNT(*) FROM invitation_links "
                          "WHERE invitation = $1 AND create_time >= $2",
                          {id.str(), sql::Time(from)}));
  return counted.rows.front().Int(0);
}

}  // namespace assay::storage
