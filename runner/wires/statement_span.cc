#include "runner/wires/statement_span.h"

#include <string>

namespace assay::wires {
namespace {

constexpr std::size_t kTextBytes = 4096;

std::string_view TransactionName(char state) {
  switch (state) {
    case 'T':
      return "open";
    case 'E':
      return "failed";
    default:
      return "none";
  }
}

void RecordParameters(telemetry::Span& span, const Statement& statement,
                      const SqlText& sql) {
  int number = 0;
  for (const Statement::Parameter& parameter : statement.parameters) {
    span.Set("db.query.parameter." + std::to_string(++number),
             parameter.value.value_or("NULL"));
  }
  for (const std::string& literal : sql.literals) {
    span.Set("db.query.parameter." + std::to_string(++number), literal);
  }
}

}  // namespace

void RecordStatement(telemetry::Tracer& tracer, std::string_view wire,
                     std::string_view database, const Statement& statement,
                     const SqlText& sql,
                     const telemetry::Correlation::Place& place) {
  using Kind = telemetry::Correlation::Place::Kind;
  telemetry::TraceContext parent = place.span;
  std::string_view correlation = place.kind == Kind::kRequest ? "exact"
                                 : place.kind == Kind::kIdle  ? "idle"
                                                              : "ambiguous";
  // A comment that names a span of this run is exact, whatever else goes on.
  if (const auto named = telemetry::ParseTraceparent(sql.traceparent);
      named && named->trace_id == tracer.trace_id()) {
    parent = *named;
    correlation = "comment";
  }
  const std::string summary = sql.Summary();
  telemetry::Span span = tracer.Start(summary.empty() ? "SQL" : summary, parent,
                                      assay::otlp::v1::Span::SPAN_KIND_CLIENT,
                                      statement.begin.nanos);
  span.Set("db.system.name", "postgresql");
  span.Set("db.namespace", database);
  span.Set("db.query.text",
           std::string_view(sql.normalised).substr(0, kTextBytes));
  span.Set("db.query.summary", summary);
  span.Set("db.operation.name", sql.operation);
  if (!sql.table.empty()) span.Set("db.collection.name", sql.table);
  span.Set("db.response.returned_rows", statement.rows);
  span.Set("assay.source", "tap");
  span.Set("assay.wire", wire);
  span.Set("assay.correlation", correlation);
  span.Set("assay.db.transaction", TransactionName(statement.transaction));
  span.Set("assay.db.protocol",
           statement.protocol == Statement::Protocol::kSimple ? "simple"
                                                              : "extended");
  span.Set("assay.db.bytes", statement.bytes);
  if (!statement.prepared_name.empty()) {
    span.Set("assay.db.prepared", statement.prepared_name);
  }
  RecordParameters(span, statement, sql);
  if (!statement.error_code.empty()) {
    span.Set("db.response.status_code", statement.error_code);
    span.Set("error.type", statement.error_code);
    span.Fail(statement.error_message);
  } else if (statement.unanswered) {
    span.Set("error.type", "connection_closed");
    span.Fail("the connection ended before an answer");
  }
  span.EndAt(statement.end_nanos);
}

}  // namespace assay::wires
