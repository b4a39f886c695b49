#include "services/storage/migrations/migrations.h"

#include "services/storage/migrations/steps.h"

namespace assay::storage {
namespace {

constexpr Migration kMigrations[] = {
    {1, "initial", kStep1Initial},
    {2, "decisions", kStep2Decisions},
    {3, "push sequence", kStep3PushSequence},
    {4, "notifications", kStep4Notifications},
    {5, "links", kStep5Links},
    {6, "accounts", kStep6Accounts},
    {7, "workers", kStep7Workers},
    {8, "nodes", kStep8Nodes},
    {9, "needs", kStep9Needs},
    {10, "enrolment", kStep10Enrolment},
    {11, "reference", kStep11Reference},
};

}  // namespace

std::span<const Migration> AllMigrations() { return kMigrations; }

Status Migrate(sql::Connection& connection,
               std::span<const Migration> migrations) {
  ASSAY_RETURN_IF_ERROR(
      connection.Execute("CREATE TABLE IF NOT EXISTS schema_versions ("
                         "version BIGINT PRIMARY KEY, name TEXT NOT NULL)"));
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result current,
      connection.Execute(
          "SELECT COALESCE(MAX(version), 0) FROM schema_versions"));
  const std::int64_t version = current.rows.front().Int(0);
  const std::int64_t newest =
      migrations.empty() ? 0 : migrations.back().version;
  if (version > newest)
    return FailedPrecondition(
        "the store has schema version ", version, ", this Assay knows up to ",
        newest,
        ": a newer Assay wrote it; start that version, or restore a "
        "backup from before the upgrade");
  for (const Migration& step : migrations) {
    if (step.version <= version) continue;
    for (const std::string_view statement : step.statements) {
      if (auto done = connection.Execute(statement); !done)
        return std::unexpected(
            done.error().Within("migrating the store to schema version " +
                                std::to_string(step.version)));
    }
    ASSAY_RETURN_IF_ERROR(connection.Execute(
        "INSERT INTO schema_versions (version, name) VALUES ($1, $2)",
        {sql::Number(step.version), std::string(step.name)}));
  }
  return {};
}

}  // namespace assay::storage
