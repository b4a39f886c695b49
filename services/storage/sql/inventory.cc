#include "services/storage/sql/inventory.h"

namespace assay::storage::sql {

Expected<std::vector<VersionBlobs>> ListVersionBlobs(Connection& connection) {
  ASSAY_ASSIGN_OR_RETURN(
      const auto found,
      connection.Execute(
          "SELECT assignment, version, plan_digest, suite_digest "
          "FROM assignment_versions ORDER BY assignment, version"));
  std::vector<VersionBlobs> versions;
  for (const auto& row : found.rows)
    versions.push_back({.assignment = row.Text(0),
                        .version = static_cast<int>(row.Int(1)),
                        .plan_digest = row.Text(2),
                        .suite_digest = row.Text(3)});
  return versions;
}

Expected<std::vector<std::string>> ListTemplateCommits(Connection& connection) {
  ASSAY_ASSIGN_OR_RETURN(
      const auto found,
      connection.Execute("SELECT template_commit FROM assignment_versions "
                         "UNION SELECT template_commit FROM repositories"));
  std::vector<std::string> commits;
  for (const auto& row : found.rows) commits.push_back(row.Text(0));
  return commits;
}

Expected<int> ReadSchemaVersion(Connection& connection) {
  ASSAY_ASSIGN_OR_RETURN(
      const auto found,
      connection.Execute("SELECT MAX(version) FROM schema_versions"));
  return static_cast<int>(found.rows.front().Int(0));
}

}  // namespace assay::storage::sql
