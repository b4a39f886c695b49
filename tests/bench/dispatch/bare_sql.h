#ifndef ASSAY_TESTS_BENCH_DISPATCH_BARE_SQL_H_
#define ASSAY_TESTS_BENCH_DISPATCH_BARE_SQL_H_

#include <filesystem>

#include "services/storage/postgres/dsn.h"

namespace assay::bench {

// What a queue costs that is nothing but SQL: the rows that a lease and a
// verdict change or add (of runs, check_results and four run_events), written
// by the statements that do just that, with 16 clients; nothing is read back,
// encoded or handed between threads, and the oldest run is next. Runs are those
// that the queue holds; each function takes `count` of them and answers with
// how many a second were leased and ended. Ends the program on an error.

// Sixteen clients share each commit, as a writer that groups would have it.
double BareSqlite(const std::filesystem::path& file, int count);
// Sixteen connections, each with commits of its own; leases skip what is
// locked.
double BarePostgres(const storage::PostgresDsn& dsn, int count);

}  // namespace assay::bench

#endif  // ASSAY_TESTS_BENCH_DISPATCH_BARE_SQL_H_
