#include "services/storage/tables/run_event_rows.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace assay::storage {
namespace {

constexpr std::size_t kRowsAtOnce = 8;

using Row = std::array<sql::Value, 3>;
// By how many rows it has, less one.
using Statements = std::array<std::string, kRowsAtOnce>;

// Rows of the run $1 and the epoch $2, with three columns of their own.
Statements MakeStatements(std::string_view insert) {
  Statements statements;
  std::string text(insert);
  int next = 3;
  for (std::string& statement : statements) {
    text += next == 3 ? " VALUES ($1, $2" : ", ($1, $2";
    for (int i = 0; i < 3; ++i) text += ", $" + std::to_string(next++);
    text += ")";
    statement = text;
  }
  return statements;
}

Status InsertRows(sql::Connection& connection, const Statements& statements,
                  const RunId& run, std::uint64_t epoch,
                  std::vector<Row> rows) {
  std::vector<sql::Value> values;
  for (std::size_t i = 0; i < rows.size(); i += kRowsAtOnce) {
    const std::size_t count = std::min(kRowsAtOnce, rows.size() - i);
    values.assign({run.str(), static_cast<std::int64_t>(epoch)});
    for (Row& row : std::span(rows).subspan(i, count))
      for (sql::Value& value : row) values.push_back(std::move(value));
    ASSAY_RETURN_IF_ERROR(connection.Post(statements[count - 1], values));
  }
  return {};
}

}  // namespace

Status InsertRunEvents(sql::Connection& connection, const RunId& run,
                       std::span<const v1::RunEvent> events) {
  static const Statements kStatements = MakeStatements(
      "INSERT INTO run_events (run, epoch, sequence, kind, content)");
  if (events.empty()) return {};
  std::vector<Row> rows;
  rows.reserve(events.size());
  for (const v1::RunEvent& event : events)
    rows.push_back({sql::Number(event.sequence()),
                    sql::Number(event.event_case()),
                    sql::Bytes{event.SerializeAsString()}});
  return InsertRows(connection, kStatements, run, events.front().epoch(),
                    std::move(rows));
}

Expected<std::vector<std::size_t>> AddResults(
    const RunId& run, std::span<const v1::RunEvent> events,
    KnownResults& known) {
  std::vector<std::size_t> fresh;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (!events[i].has_check_finished()) continue;
    const v1::CheckResult& result = events[i].check_finished().result();
    std::string content = result.SerializeAsString();
    const auto earlier = known.contents.find(result.check_id());
    if (earlier == known.contents.end()) {
      known.contents.emplace(result.check_id(), std::move(content));
      known.results.push_back(result);
      fresh.push_back(i);
    } else if (earlier->second != content) {
      return FailedPrecondition("check \"", result.check_id(), "\" of run ",
                                run,
                                " has a verdict already; a different one was "
                                "refused");
    }
  }
  return fresh;
}

Status InsertResults(sql::Connection& connection, const RunId& run,
                     std::uint64_t epoch, std::span<const v1::RunEvent> events,
                     std::span<const std::size_t> places) {
  static const Statements kStatements = MakeStatements(
      "INSERT INTO check_results (run, epoch, check_id, sequence, content)");
  std::vector<Row> rows;
  rows.reserve(places.size());
  for (const std::size_t place : places) {
    const v1::RunEvent& event = events[place];
    const v1::CheckResult& result = event.check_finished().result();
    rows.push_back({result.check_id(), sql::Number(event.sequence()),
                    sql::Bytes{result.SerializeAsString()}});
  }
  return InsertRows(connection, kStatements, run, epoch, std::move(rows));
}

}  // namespace assay::storage
