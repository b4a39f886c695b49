#include "services/storage/tables/enrolments.h"

namespace assay::storage {

Status EnrolmentTable::Permit(const std::string& hash,
                              const std::string& worker,
                              const std::string& actor, Clock::TimePoint now,
                              Clock::TimePoint expiry) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "INSERT INTO worker_enrolments (hash, worker, actor, create_time, "
      "expire_time, use_time) VALUES ($1, $2, $3, $4, $5, NULL)",
      {hash, worker, actor, sql::Time(now), sql::Time(expiry)}));
  return {};
}

Expected<std::string> EnrolmentTable::UsePermission(const std::string& hash,
                                                    Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result used,
      connection_.Execute(
          "UPDATE worker_enrolments SET use_time = $2 WHERE hash = $1 AND "
          "use_time IS NULL AND expire_time > $2 RETURNING worker",
          {hash, sql::Time(now)}));
  if (!used.rows.empty()) return used.rows.front().Text(0);
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          "SELECT worker, use_time FROM worker_enrolments WHERE hash = $1",
          {hash}));
  const std::string again = "; get another with `assay worker enrol ";
  if (found.rows.empty())
    return Fail(Code::kUnauthenticated,
                "this enrolment token is not known here", again, "NAME`");
  const sql::Row& row = found.rows.front();
  return Fail(Code::kUnauthenticated, "this enrolment token ",
              row.MaybeTime(1) ? "was used before" : "has expired", again,
              row.Text(0), "`");
}

Status EnrolmentTable::AddCertificate(const WorkerCertificate& certificate) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "INSERT INTO worker_certificates (fingerprint, worker, create_time, "
      "expire_time, revoke_time) VALUES ($1, $2, $3, $4, NULL)",
      {certificate.fingerprint, certificate.worker,
       sql::Time(certificate.create_time),
       sql::Time(certificate.expire_time)}));
  return {};
}

Expected<WorkerCertificate> EnrolmentTable::GetCertificate(
    const std::string& fingerprint) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          "SELECT fingerprint, worker, create_time, expire_time, revoke_time "
          "FROM worker_certificates WHERE fingerprint = $1",
          {fingerprint}));
  if (found.rows.empty()) return NotFound("no such certificate");
  const sql::Row& row = found.rows.front();
  return WorkerCertificate{.fingerprint = row.Text(0),
                           .worker = row.Text(1),
                           .create_time = row.Time(2),
                           .expire_time = row.Time(3),
                           .revoke_time = row.MaybeTime(4)};
}

Expected<bool> EnrolmentTable::IsEnrolled(const std::string& worker,
                                          Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT 1 FROM worker_certificates WHERE worker = $1 "
                          "AND revoke_time IS NULL AND expire_time > $2 "
                          "LIMIT 1",
                          {worker, sql::Time(now)}));
  return !found.rows.empty();
}

Expected<std::int64_t> EnrolmentTable::Revoke(const std::string& worker,
                                              Clock::TimePoint now) {
  ASSAY_RETURN_IF_ERROR(
      connection_.Execute("DELETE FROM worker_enrolments WHERE worker = $1 "
                          "AND use_time IS NULL",
                          {worker}));
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result revoked,
      connection_.Execute("UPDATE worker_certificates SET revoke_time = $2 "
                          "WHERE worker = $1 AND revoke_time IS NULL",
                          {worker, sql::Time(now)}));
  return revoked.affected;
}

Expected<std::map<std::string, Clock::TimePoint>> EnrolmentTable::Expiries() {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT worker, MAX(expire_time) FROM "
                          "worker_certificates WHERE revoke_time IS NULL "
                          "GROUP BY worker"));
  std::map<std::string, Clock::TimePoint> expiries;
  for (const sql::Row& row : found.rows)
    expiries.emplace(row.Text(0), row.Time(1));
  return expiries;
}

Status EnrolmentTable::DeleteExpired(Clock::TimePoint time) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "DELETE FROM worker_enrolments WHERE expire_time < $1",
      {sql::Time(time)}));
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "DELETE FROM worker_certificates WHERE expire_time < $1",
      {sql::Time(time)}));
  return {};
}

Status EnrolmentTable::AddAuthority(const std::string& fingerprint,
                                    const std::string& pem,
                                    Clock::TimePoint now) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "INSERT INTO worker_authorities (fingerprint, pem, create_time) "
      "VALUES ($1, $2, $3) ON CONFLICT (fingerprint) DO NOTHING",
      {fingerprint, pem, sql::Time(now)}));
  return {};
}

Expected<std::vector<std::string>> EnrolmentTable::Authorities() {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT pem FROM worker_authorities"));
  std::vector<std::string> authorities;
  for (const sql::Row& row : found.rows) authorities.push_back(row.Text(0));
  return authorities;
}

}  // namespace assay::storage
