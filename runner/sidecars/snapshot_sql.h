#ifndef ASSAY_RUNNER_SIDECARS_SNAPSHOT_SQL_H_
#define ASSAY_RUNNER_SIDECARS_SNAPSHOT_SQL_H_

#include <string_view>

namespace assay::sidecars {

// SQL for a superuser in the database of a run. Copies every table's rows and
// every sequence's position into the schema `assay_snapshot`, and defines
// `assay_snapshot.restore()`, which brings them back inside the same database:
// connections survive, and only tables that have changed are rewritten.
extern const std::string_view kTakeSnapshot;

// Run as the role `assay_reset` (postgres_template.cc), because it calls what
// the candidate has attached to tables. "select assay_snapshot.restore()": how
// many tables were rewritten.
extern const std::string_view kRestoreSnapshot;

// Ends the connections of services that have a transaction open: their locks
// would hold a restore up.
extern const std::string_view kEndTransactions;

}  // namespace assay::sidecars

#endif  // ASSAY_RUNNER_SIDECARS_SNAPSHOT_SQL_H_
