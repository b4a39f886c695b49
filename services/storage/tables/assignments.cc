#include "services/storage/tables/assignments.h"

#include "services/storage/sql/cursor.h"

namespace assay::storage {
namespace {

constexpr char kSelect[] =
    "SELECT v.assignment, v.version, v.spec, v.template_commit, "
    "v.plan_digest, v.suite_digest, v.max_points, v.check_count, "
    "a.create_time, v.create_time, v.milli_cpus, v.memory "
    "FROM assignments a JOIN assignment_versions v ON v.assignment = a.id ";

AssignmentRecord Read(const sql::Row& row) {
  AssignmentRecord record;
  record.id = AssignmentId(row.Text(0));
  record.version = static_cast<std::int32_t>(row.Int(1));
  record.spec.ParseFromString(row.Blob(2));
  record.template_commit = row.Text(3);
  record.plan_digest = row.Text(4);
  record.suite_digest = row.Text(5);
  record.max_points = row.Real(6);
  record.check_count = static_cast<std::int32_t>(row.Int(7));
  record.create_time = row.Time(8);
  record.update_time = row.Time(9);
  record.milli_cpus = row.Int(10);
  record.memory_bytes = row.Int(11);
  return record;
}

Status InsertVersion(sql::Connection& connection,
                     const AssignmentRecord& record) {
  ASSAY_RETURN_IF_ERROR(connection.Execute(
      "INSERT INTO assignment_versions (assignment, version, spec, "
      "template_commit, plan_digest, suite_digest, max_points, check_count, "
      "create_time, milli_cpus, memory) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
      {record.id.str(), sql::Number(record.version),
       sql::Bytes{record.spec.SerializeAsString()}, record.template_commit,
       record.plan_digest, record.suite_digest, record.max_points,
       sql::Number(record.check_count), sql::Time(record.update_time),
       record.milli_cpus, record.memory_bytes}));
  return {};
}

}  // namespace

Status AssignmentTable::Create(const AssignmentRecord& record) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result inserted,
      connection_.Execute("INSERT INTO assignments (id, version, create_time) "
                          "VALUES ($1, 1, $2) ON CONFLICT (id) DO NOTHING",
                          {record.id.str(), sql::Time(record.create_time)}));
  if (inserted.affected == 0)
    return AlreadyExists("an assignment called \"", record.id,
                         "\" exists; choose another name or update it");
  return InsertVersion(connection_, record);
}

Status AssignmentTable::AddVersion(const AssignmentRecord& record) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result updated,
      connection_.Execute(
          "UPDATE assignments SET version = $2 WHERE id = $1 AND version = $3",
          {record.id.str(), sql::Number(record.version),
           sql::Number(record.version - 1)}));
  if (updated.affected == 0) {
    ASSAY_ASSIGN_OR_RETURN(const AssignmentRecord current, Get(record.id));
    return Aborted("assignment \"", record.id, "\" is at version ",
                   current.version, ", the edit started from version ",
                   record.version - 1, "; read it again and repeat the edit");
  }
  return InsertVersion(connection_, record);
}

Expected<AssignmentRecord> AssignmentTable::Get(const AssignmentId& id,
                                                std::int32_t version) {
  static const std::string kCurrent =
      std::string(kSelect) + "WHERE a.id = $1 AND v.version = a.version";
  static const std::string kVersion =
      std::string(kSelect) + "WHERE a.id = $1 AND v.version = $2";
  ASSAY_ASSIGN_OR_RETURN(const sql::Result found,
                         connection_.Execute(version == 0 ? kCurrent : kVersion,
                                             {id.str(), sql::Number(version)}));
  if (found.rows.empty() && version == 0)
    return NotFound("there is no assignment \"", id, "\"");
  if (found.rows.empty())
    return NotFound("there is no version ", version, " of assignment \"", id,
                    "\"");
  return Read(found.rows.front());
}

Expected<PageOf<AssignmentRecord>> AssignmentTable::List(const Page& page) {
  static const std::string kList =
      std::string(kSelect) +
      "WHERE v.version = a.version AND (a.create_time < $1 OR "
      "(a.create_time = $1 AND a.id < $2)) "
      "ORDER BY a.create_time DESC, a.id DESC LIMIT $3";
  ASSAY_ASSIGN_OR_RETURN(const sql::Cursor after,
                         sql::ParseCursor(page, sql::Newest()));
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          kList, {after.time, after.id, sql::Number(sql::PageSize(page) + 1)}));
  return sql::MakePage<AssignmentRecord>(
      found, page, Read, [](const AssignmentRecord& record) {
        return sql::Cursor{ToMicros(record.create_time), record.id.str()};
      });
}

Expected<AssignmentCounts> AssignmentTable::Count(const AssignmentId& id) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          "SELECT "
          "(SELECT COUNT(*) FROM invitations WHERE assignment = $1), "
          "(SELECT COUNT(*) FROM attempts WHERE assignment = $1 "
          "AND reference = 0), "
          "(SELECT COUNT(*) FROM attempts a WHERE a.assignment = $1 AND "
          "a.state = $2 AND EXISTS (SELECT 1 FROM submissions s "
          "WHERE s.attempt = a.id AND s.commit_id <> ''))",
          {id.str(), sql::Number(3)}));
  const sql::Row& row = found.rows.front();
  return AssignmentCounts{static_cast<std::int32_t>(row.Int(0)),
                          static_cast<std::int32_t>(row.Int(1)),
                          static_cast<std::int32_t>(row.Int(2))};
}

}  // namespace assay::storage
