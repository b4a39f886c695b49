#ifndef ASSAY_SERVICES_WORKERS_WORKER_BOOK_H_
#define ASSAY_SERVICES_WORKERS_WORKER_BOOK_H_

#include <string>
#include <string_view>
#include <vector>

#include "proto/base/clock.h"
#include "proto/base/id.h"
#include "services/rpc/method_registry.h"
#include "services/storage/store.h"
#include "services/storage/tables/workers.h"

namespace assay::workers {

// 1 to 63 of [A-Za-z0-9._-], not starting with a dot or a dash.
bool IsWorkerName(std::string_view name);

// Why this worker gets no runs, in a sentence; empty while it does.
std::string HeldBack(const storage::WorkerRecord& worker);

// What is kept of workers beyond their streams. Each call is one transaction.
//
// Ownership: borrows store and clock. Threads: confined to the coordinator's
// strand.
class WorkerBook {
 public:
  WorkerBook(storage::Store& store, const Clock& clock)
      : store_(store), clock_(clock) {}

  // What an attaching worker has shown beside what it says of itself.
  struct Bearing {
    // By its certificate, that the name is its own.
    bool certified = false;
    // That cells do not work there, and why; empty: they do.
    std::string unfit;
  };
  // A worker attached; `said.attach_time` is set here. One that is unfit is set
  // aside, and audited. kPermissionDenied: the name belongs to a worker with a
  // certificate, and this one has shown none.
  rpc::Async<storage::WorkerRecord> Attach(storage::WorkerRecord said,
                                           Bearing bearing);
  // A run ended by the worker's own fault: see WorkerTable::AddFault. A worker
  // that this sets aside is audited.
  rpc::Async<storage::WorkerRecord> AddFault(std::string name, RunId run,
                                             std::string fault);
  rpc::Async<void> ClearFaults(std::string name);
  rpc::Async<storage::WorkerRecord> Get(std::string name);
  rpc::Async<std::vector<storage::WorkerRecord>> List();

 private:
  storage::Store& store_;
  const Clock& clock_;
};

}  // namespace assay::workers

#endif  // ASSAY_SERVICES_WORKERS_WORKER_BOOK_H_
