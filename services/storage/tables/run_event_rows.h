#ifndef ASSAY_SERVICES_STORAGE_TABLES_RUN_EVENT_ROWS_H_
#define ASSAY_SERVICES_STORAGE_TABLES_RUN_EVENT_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "assay/v1/check.pb.h"
#include "assay/v1/run.pb.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/storage/sql/connection.h"

namespace assay::storage {

// Of this folder only: sequences were reserved by an UPDATE of the run's row.

// Stores events of one epoch, which have it and their sequences set, several
// with each statement: to the store a statement costs more than a row.
Status InsertRunEvents(sql::Connection& connection, const RunId& run,
                       std::span<const v1::RunEvent> events);

// The results of an epoch: in the order in which they came, and serialised, by
// check.
struct KnownResults {
  std::vector<v1::CheckResult> results;
  std::map<std::string, std::string> contents;
};
// Adds the results among `events` to those that are known, and answers with
// which of the events held a new one.
//
// kFailedPrecondition: a different one than is known.
Expected<std::vector<std::size_t>> AddResults(
    const RunId& run, std::span<const v1::RunEvent> events,
    KnownResults& known);
// Stores the results that the events at these places hold.
Status InsertResults(sql::Connection& connection, const RunId& run,
                     std::uint64_t epoch, std::span<const v1::RunEvent> events,
                     std::span<const std::size_t> places);

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_RUN_EVENT_ROWS_H_
