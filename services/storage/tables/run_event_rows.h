#ifndef ASSAY_SERVICES_STORAGE_TABLES_RUN_EVENT_ROWS_H_
#define ASSAY_SERVICES_STORAGE_TABLES_RUN_EVENT_ROWS_H_

#include "assay/v1/run.pb.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/storage/sql/connection.h"

namespace assay::storage {

// Stores an event whose sequence and epoch are set. Of this folder only: the
// sequence was reserved by an UPDATE of the run's row.
Status InsertRunEvent(sql::Connection& connection, const RunId& run,
                      const v1::RunEvent& event);

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_RUN_EVENT_ROWS_H_
