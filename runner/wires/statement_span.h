#ifndef ASSAY_RUNNER_WIRES_STATEMENT_SPAN_H_
#define ASSAY_RUNNER_WIRES_STATEMENT_SPAN_H_

#include <string_view>

#include "runner/telemetry/correlation.h"
#include "runner/telemetry/tracer.h"
#include "runner/wires/postgres_session.h"
#include "runner/wires/sql_text.h"

namespace assay::wires {

// Records a statement as a finished span below `place`, with OpenTelemetry's
// database attributes and ours: `assay.source` (tap), `assay.wire`,
// `assay.correlation` (exact, idle, ambiguous, comment), `assay.db.transaction`
// and `assay.db.protocol`. Literals and parameters become
// `db.query.parameter.N`.
void RecordStatement(telemetry::Tracer& tracer, std::string_view wire,
                     std::string_view database, const Statement& statement,
                     const SqlText& sql,
                     const telemetry::Correlation::Place& place);

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_STATEMENT_SPAN_H_
