#include "services/storage/tables/repositories.h"

#include "services/storage/sql/cursor.h"

namespace assay::storage {
namespace {

RepositoryRecord Read(const sql::Row& row) {
  return {RepositoryId(row.Text(0)), AttemptId(row.Text(1)), row.Text(2),
          row.Time(3)};
}

}  // namespace

Status RepositoryTable::Create(const RepositoryRecord& record) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "INSERT INTO repositories (id, attempt, template_commit, create_time) "
      "VALUES ($1, $2, $3, $4)",
      {record.id.str(), record.attempt.str(), record.template_commit,
       sql::Time(record.create_time)}));
  return {};
}

Expected<RepositoryRecord> RepositoryTable::Get(const RepositoryId& id) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT id, attempt, template_commit, create_time "
                          "FROM repositories WHERE id = $1",
                          {id.str()}));
  if (found.rows.empty()) return NotFound("there is no repository ", id);
  return Read(found.rows.front());
}

Status RepositoryTable::Delete(const RepositoryId& id) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "DELETE FROM repositories WHERE id = $1", {id.str()}));
  return {};
}

Expected<PageOf<RepositoryRecord>> RepositoryTable::List(const Page& page) {
  ASSAY_ASSIGN_OR_RETURN(const sql::Cursor after,
                         sql::ParseCursor(page, sql::Oldest()));
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          "SELECT id, attempt, template_commit, create_time FROM repositories "
          "WHERE create_time > $1 OR (create_time = $1 AND id > $2) "
          "ORDER BY create_time, id LIMIT $3",
          {after.time, after.id, sql::Number(sql::PageSize(page) + 1)}));
  return sql::MakePage<RepositoryRecord>(
      found, page, Read, [](const RepositoryRecord& record) {
        return sql::Cursor{ToMicros(record.create_time), record.id.str()};
      });
}

}  // namespace assay::storage
