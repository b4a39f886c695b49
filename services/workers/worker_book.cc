#include "services/workers/worker_book.h"

#include <algorithm>
#include <utility>

namespace assay::workers {
namespace {

using storage::Transaction;
using storage::WorkerRecord;

constexpr std::size_t kMaxName = 63;
// A fault quotes programs; what a person reads of it fits here.
constexpr std::size_t kMaxFault = 500;

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

// Cut before a character, never within one.
std::string Shortened(std::string text) {
  if (text.size() <= kMaxFault) return text;
  std::size_t end = kMaxFault;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end;
  text.resize(end);
  return text;
}

Expected<WorkerRecord> AddFaultIn(Transaction& tx, const std::string& name,
                                  const RunId& run, const std::string& fault,
                                  Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(const WorkerRecord before, tx.workers.Get(name));
  ASSAY_ASSIGN_OR_RETURN(WorkerRecord after,
                         tx.workers.AddFault(name, run, fault, now));
  if (after.state != before.state) {
    ASSAY_RETURN_IF_ERROR(tx.audit.Append({.time = now,
                                           .actor = "system",
                                           .action = "worker.quarantine",
                                           .subject = "workers/" + name,
                                           .detail = after.reason}));
  }
  return after;
}

Expected<WorkerRecord> AttachIn(Transaction& tx, const WorkerRecord& said,
                                const WorkerBook::Bearing& bearing) {
  if (!bearing.certified) {
    ASSAY_ASSIGN_OR_RETURN(
        const bool enrolled,
        tx.enrolments.IsEnrolled(said.name, said.attach_time));
    if (enrolled)
      return PermissionDenied(
          "worker ", said.name,
          " is enrolled and attaches over TLS with its certificate: call "
          "this one otherwise by --name, or revoke that with `assay worker "
          "revoke ",
          said.name, "`");
  }
  ASSAY_ASSIGN_OR_RETURN(WorkerRecord record, tx.workers.Attach(said));
  if (bearing.unfit.empty() || record.state != v1::Worker::STATE_ACTIVE)
    return record;
  ASSAY_ASSIGN_OR_RETURN(
      record,
      tx.workers.SetState(said.name, v1::Worker::STATE_QUARANTINED,
                          "its own run at its start failed: " + bearing.unfit,
                          "system", said.attach_time));
  ASSAY_RETURN_IF_ERROR(tx.audit.Append({.time = said.attach_time,
                                         .actor = "system",
                                         .action = "worker.quarantine",
                                         .subject = "workers/" + said.name,
                                         .detail = record.reason}));
  return record;
}

}  // namespace

bool IsWorkerName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName && name.front() != '.' &&
         name.front() != '-' && std::ranges::all_of(name, IsNameCharacter);
}

std::string HeldBack(const WorkerRecord& worker) {
  switch (worker.state) {
    case v1::Worker::STATE_DRAINED:
      return "drained by " + worker.actor +
             (worker.reason.empty() ? "" : ": " + worker.reason);
    case v1::Worker::STATE_QUARANTINED:
      return "set aside: " + worker.reason;
    default:
      return {};
  }
}

rpc::Async<WorkerRecord> WorkerBook::Attach(WorkerRecord said,
                                            Bearing bearing) {
  said.attach_time = clock_.Now();
  bearing.unfit = Shortened(std::move(bearing.unfit));
  co_return co_await store_.Write(
      [said = std::move(said), bearing = std::move(bearing)](Transaction& tx) {
        return AttachIn(tx, said, bearing);
      });
}

rpc::Async<WorkerRecord> WorkerBook::AddFault(std::string name, RunId run,
                                              std::string fault) {
  fault = Shortened(std::move(fault));
  co_return co_await store_.Write([name = std::move(name), run = std::move(run),
                                   fault = std::move(fault),
                                   now = clock_.Now()](Transaction& tx) {
    return AddFaultIn(tx, name, run, fault, now);
  });
}

rpc::Async<void> WorkerBook::ClearFaults(std::string name) {
  co_return co_await store_.Write([name = std::move(name)](Transaction& tx) {
    return tx.workers.ClearFaults(name);
  });
}

rpc::Async<WorkerRecord> WorkerBook::Get(std::string name) {
  co_return co_await store_.Read([name = std::move(name)](Transaction& tx) {
    return tx.workers.Get(name);
  });
}

rpc::Async<std::vector<WorkerRecord>> WorkerBook::List() {
  co_return co_await store_.Read(
      [](Transaction& tx) { return tx.workers.List(); });
}

}  // namespace assay::workers
