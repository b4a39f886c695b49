#include "services/storage/tables/repositories.h"

#include "services/storage/sql/cursor.h"

namespace assay::storage {
namespace {

#define ASSAY_REPOSITORY_COLUMNS                                          \
  "id, attempt, template_commit, create_time, home, generation, bundle, " \
  "bundle_tips"

RepositoryRecord Read(const sql::Row& row) {
  return {.id = RepositoryId(row.Text(0)),
          .attempt = AttemptId(row.Text(1)),
          .template_commit = row.Text(2),
          .create_time = row.Time(3),
          .home = row.Text(4),
          .generation = row.Int(5),
          .bundle = row.Text(6),
          .bundle_tips = row.Text(7)};
}

}  // namespace

Status RepositoryTable::Create(const RepositoryRecord& record) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "INSERT INTO repositories (id, attempt, template_commit, create_time, "
      "home) VALUES ($1, $2, $3, $4, $5)",
      {record.id.str(), record.attempt.str(), record.template_commit,
       sql::Time(record.create_time), record.home}));
  return {};
}

Expected<RepositoryRecord> RepositoryTable::Get(const RepositoryId& id) {
  ASSAY_ASSIGN_OR_RETURN(const sql::Result found,
                         connection_.Execute("SELECT " ASSAY_REPOSITORY_COLUMNS
                                             " FROM repositories WHERE id = $1",
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
          "SELECT " ASSAY_REPOSITORY_COLUMNS " FROM repositories "
          "WHERE create_time > $1 OR (create_time = $1 AND id > $2) "
          "ORDER BY create_time, id LIMIT $3",
          {after.time, after.id, sql::Number(sql::PageSize(page) + 1)}));
  return sql::MakePage<RepositoryRecord>(
      found, page, Read, [](const RepositoryRecord& record) {
        return sql::Cursor{ToMicros(record.create_time), record.id.str()};
      });
}

Status RepositoryTable::CheckHome(const RepositoryId& id,
                                  const std::string& node) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT home FROM repositories WHERE id = $1",
                          {id.str()}));
  if (found.rows.empty() || found.rows.front().Text(0) == node) return {};
  return Aborted("repository ", id, " has moved to node ",
                 found.rows.front().Text(0), "; try again");
}

Status RepositoryTable::TakeHomeless(const std::string& node) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "UPDATE repositories SET home = $1 WHERE home = ''", {node}));
  return {};
}

Status RepositoryTable::TakeAll(const std::string& node) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "UPDATE repositories SET home = $1 WHERE home <> $1", {node}));
  return {};
}

Status RepositoryTable::Move(const RepositoryRecord& seen,
                             const std::string& node) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result moved,
      connection_.Execute(
          "UPDATE repositories SET home = $5, generation = generation + 1 "
          "WHERE id = $1 AND home = $2 AND generation = $3 AND bundle = $4",
          {seen.id.str(), seen.home, sql::Number(seen.generation), seen.bundle,
           node}));
  if (moved.affected == 0)
    return Aborted("repository ", seen.id, " has moved meanwhile");
  return {};
}

Status RepositoryTable::SetBundle(const RepositoryRecord& record) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result updated,
      connection_.Execute(
          "UPDATE repositories SET bundle = $4, bundle_tips = $5 "
          "WHERE id = $1 AND home = $2 AND generation = $3",
          {record.id.str(), record.home, sql::Number(record.generation),
           record.bundle, record.bundle_tips}));
  if (updated.affected == 0)
    return Aborted("repository ", record.id, " has moved meanwhile");
  return {};
}

Expected<std::vector<RepositoryRecord>> RepositoryTable::ListAt(
    const std::string& home, const RepositoryId& after, std::int32_t limit) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT " ASSAY_REPOSITORY_COLUMNS
                          " FROM repositories WHERE home = $1 AND id > $2 "
                          "ORDER BY id LIMIT $3",
                          {home, after.str(), sql::Number(limit)}));
  std::vector<RepositoryRecord> repositories;
  for (const sql::Row& row : found.rows) repositories.push_back(Read(row));
  return repositories;
}

Expected<std::map<std::string, std::int32_t>> RepositoryTable::CountByHome() {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          "SELECT home, COUNT(*) FROM repositories GROUP BY home"));
  std::map<std::string, std::int32_t> counts;
  for (const sql::Row& row : found.rows)
    counts[row.Text(0)] = static_cast<std::int32_t>(row.Int(1));
  return counts;
}

Status RepositoryTable::SetTemplateFiles(const std::string& commit,
                                         const std::string& digest) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "INSERT INTO template_files (commit_id, digest) VALUES ($1, $2) "
      "ON CONFLICT (commit_id) DO UPDATE SET digest = excluded.digest",
      {commit, digest}));
  return {};
}

Expected<std::string> RepositoryTable::TemplateFiles(
    const std::string& commit) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          "SELECT digest FROM template_files WHERE commit_id = $1", {commit}));
  return found.rows.empty() ? std::string() : found.rows.front().Text(0);
}

}  // namespace assay::storage
