#include "services/storage/tables/run_events.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "services/rpc/proto_time.h"
#include "services/storage/tables/run_event_rows.h"

namespace assay::storage {
namespace {

// Where a run's events stand.
struct Position {
  std::uint64_t epoch = 0;
  v1::Run::State state = v1::Run::STATE_UNSPECIFIED;
  std::int64_t next_offset = 1;
  std::int64_t next_sequence = 1;
};

Expected<Position> ReadPosition(sql::Connection& connection, const RunId& run) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection.Execute("SELECT epoch, state, next_offset, next_sequence "
                         "FROM runs WHERE id = $1",
                         {run.str()}));
  if (found.rows.empty()) return NotFound("there is no run ", run);
  const sql::Row& row = found.rows.front();
  return Position{static_cast<std::uint64_t>(row.Int(0)),
                  static_cast<v1::Run::State>(row.Int(1)), row.Int(2),
                  row.Int(3)};
}

// Reserves `count` numbers where the events begin exactly where the last ones
// ended, as nearly all do, in one statement. The first sequence; none where
// there is more to say.
Expected<std::optional<std::int64_t>> ReserveNext(sql::Connection& connection,
                                                  const RunId& run,
                                                  std::uint64_t epoch,
                                                  std::int64_t first_offset,
                                                  std::int64_t count) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result updated,
      connection.Execute(
          "UPDATE runs SET next_offset = next_offset + $3, "
          "next_sequence = next_sequence + $3 "
          "WHERE id = $1 AND epoch = $2 AND state = 2 AND next_offset = $4 "
          "RETURNING next_sequence",
          {run.str(), static_cast<std::int64_t>(epoch), count, first_offset}));
  if (updated.rows.empty()) return std::nullopt;
  return updated.rows.front().Int(0) - count;
}

// Reserves `count` numbers under a lease that is still the current one.
Status Reserve(sql::Connection& connection, const RunId& run,
               std::uint64_t epoch, const Position& position,
               std::int64_t count) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result updated,
      connection.Execute(
          "UPDATE runs SET next_offset = next_offset + $3, "
          "next_sequence = next_sequence + $3 "
          "WHERE id = $1 AND epoch = $2 AND state = 2 AND next_offset = $4 "
          "AND next_sequence = $5",
          {run.str(), static_cast<std::int64_t>(epoch), count,
           position.next_offset, position.next_sequence}));
  if (updated.affected == 0)
    return Aborted("run ", run, " is not leased under epoch ", epoch);
  return {};
}

Expected<KnownResults> ReadKnown(sql::Connection& connection, const RunId& run,
                                 std::uint64_t epoch) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection.Execute("SELECT check_id, content FROM check_results "
                         "WHERE run = $1 AND epoch = $2 ORDER BY sequence",
                         {run.str(), static_cast<std::int64_t>(epoch)}));
  KnownResults known;
  for (const sql::Row& row : found.rows) {
    known.contents[row.Text(0)] = row.Blob(1);
    known.results.emplace_back().ParseFromString(row.Blob(1));
  }
  return known;
}

// Stores `events` under the sequences from `sequence` on. They are the first of
// their epoch, or not. What is known already is asked for once, however many
// results there are, and not at all at the start of an epoch.
Status Insert(sql::Connection& connection, const RunId& run,
              std::uint64_t epoch, std::int64_t sequence, bool starts,
              std::span<const v1::RunEvent> events, AppendResult& result) {
  result.appended.assign(events.begin(), events.end());
  for (v1::RunEvent& event : result.appended) {
    event.set_sequence(sequence++);
    event.set_epoch(epoch);
  }
  ASSAY_RETURN_IF_ERROR(InsertRunEvents(connection, run, result.appended));
  if (std::ranges::none_of(events, &v1::RunEvent::has_check_finished))
    return {};
  KnownResults known;
  if (!starts) {
    ASSAY_ASSIGN_OR_RETURN(known, ReadKnown(connection, run, epoch));
  }
  ASSAY_ASSIGN_OR_RETURN(const auto fresh,
                         AddResults(run, result.appended, known));
  result.results = std::move(known.results);
  return InsertResults(connection, run, epoch, result.appended, fresh);
}

// The results of an epoch whose next event has the number `offset`, and whose
// lease is the current one; nothing where that is not how it stands. One
// statement, so that both are of one moment.
Expected<std::optional<KnownResults>> ReadKnownAt(sql::Connection& connection,
                                                  const RunId& run,
                                                  std::uint64_t epoch,
                                                  std::int64_t offset) {
  KnownResults known;
  if (offset == 1) return known;
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection.Execute(
          "SELECT sequence, check_id, content FROM check_results "
          "WHERE run = $1 AND epoch = $2 UNION ALL "
          "SELECT 0, '', NULL FROM runs WHERE id = $1 AND epoch = $2 AND "
          "state = 2 AND next_offset = $3 ORDER BY 1",
          {run.str(), static_cast<std::int64_t>(epoch), offset}));
  if (found.rows.empty() || found.rows.front().Int(0) != 0) return std::nullopt;
  for (const sql::Row& row : std::span(found.rows).subspan(1)) {
    known.contents[row.Text(1)] = row.Blob(2);
    known.results.emplace_back().ParseFromString(row.Blob(2));
  }
  return known;
}

}  // namespace

Expected<AppendResult> RunEventTable::Append(
    const RunId& run, std::uint64_t epoch, std::int64_t first_offset,
    std::span<const v1::RunEvent> events) {
  AppendResult result;
  const std::int64_t end =
      first_offset + static_cast<std::int64_t>(events.size());
  if (!events.empty() && first_offset >= 1) {
    ASSAY_ASSIGN_OR_RETURN(
        const auto sequence,
        ReserveNext(connection_, run, epoch, first_offset, end - first_offset));
    if (sequence) {
      result.next_offset = end;
      ASSAY_RETURN_IF_ERROR(Insert(connection_, run, epoch, *sequence,
                                   first_offset == 1, events, result));
      return result;
    }
  }
  ASSAY_ASSIGN_OR_RETURN(const Position position,
                         ReadPosition(connection_, run));
  if (epoch != position.epoch)
    return Aborted("epoch ", epoch, " of run ", run,
                   " is stale, the current one is ", position.epoch);
  if (first_offset < 1)
    return InvalidArgument("events are numbered from 1, found ", first_offset);
  result.next_offset = position.next_offset;
  if (first_offset > position.next_offset || end <= position.next_offset)
    return result;

  const auto fresh = events.subspan(
      static_cast<std::size_t>(position.next_offset - first_offset));
  ASSAY_RETURN_IF_ERROR(Reserve(connection_, run, epoch, position,
                                static_cast<std::int64_t>(fresh.size())));
  ASSAY_RETURN_IF_ERROR(Insert(connection_, run, epoch, position.next_sequence,
                               position.next_offset == 1, fresh, result));
  result.next_offset = end;
  return result;
}

Expected<std::optional<AppendResult>> RunEventTable::AppendLast(
    const RunId& run, std::uint64_t epoch, std::int64_t first_offset,
    std::span<const v1::RunEvent> events, Clock::TimePoint now,
    const Judge& judge) {
  if (events.empty() || first_offset < 1) return std::nullopt;
  ASSAY_ASSIGN_OR_RETURN(auto known,
                         ReadKnownAt(connection_, run, epoch, first_offset));
  if (!known) return std::nullopt;
  // A refusal is Append's to say, after it has looked at the lease.
  const auto fresh = AddResults(run, events, *known);
  if (!fresh) return std::nullopt;
  const v1::RunEvent::Finished& word = events.back().finished();
  const std::optional<v1::Score> score = judge(known->results);
  const auto count = static_cast<std::int64_t>(events.size());
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result updated,
      connection_.Execute(
          "UPDATE runs SET state = 3, outcome = $5, outcome_reason = $6, "
          "score = $7, finish_time = $8, lease_expiry = NULL, "
          "next_offset = next_offset + $3, "
          "next_sequence = next_sequence + $3 + 1 "
          "WHERE id = $1 AND epoch = $2 AND state = 2 AND next_offset = $4 "
          "RETURNING next_sequence",
          {run.str(), static_cast<std::int64_t>(epoch), count, first_offset,
           sql::Number(word.outcome()), word.reason(),
           score ? sql::Value(sql::Bytes{score->SerializeAsString()})
                 : sql::Value(),
           sql::Time(now)}));
  if (updated.rows.empty()) return std::nullopt;
  AppendResult result;
  result.next_offset = first_offset + count;
  result.appended.assign(events.begin(), events.end());
  v1::RunEvent& end = result.appended.emplace_back();
  *end.mutable_time() = rpc::ToProto(now);
  end.mutable_state_changed()->set_state(v1::Run::STATE_FINISHED);
  if (score) *end.mutable_state_changed()->mutable_score() = *score;
  std::int64_t sequence = updated.rows.front().Int(0) - count - 1;
  for (v1::RunEvent& event : result.appended) {
    event.set_sequence(sequence++);
    event.set_epoch(epoch);
  }
  ASSAY_RETURN_IF_ERROR(InsertRunEvents(connection_, run, result.appended));
  ASSAY_RETURN_IF_ERROR(
      InsertResults(connection_, run, epoch, result.appended, *fresh));
  result.results = std::move(known->results);
  return result;
}

Expected<std::vector<v1::RunEvent>> RunEventTable::List(const RunId& run,
                                                        std::int64_t after,
                                                        std::int32_t limit,
                                                        bool results_only) {
  constexpr const char* kAll =
      "SELECT content FROM run_events WHERE run = $1 AND sequence > $2 "
      "ORDER BY sequence LIMIT $3";
  constexpr const char* kResults =
      "SELECT content FROM run_events WHERE run = $1 AND sequence > $2 "
      "AND kind <> $4 AND kind <> $5 ORDER BY sequence LIMIT $3";
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(results_only ? kResults : kAll,
                          {run.str(), after, sql::Number(limit),
                           sql::Number(v1::RunEvent::kLog),
                           sql::Number(v1::RunEvent::kSpans)}));
  std::vector<v1::RunEvent> events;
  for (const sql::Row& row : found.rows)
    events.emplace_back().ParseFromString(row.Blob(0));
  return events;
}

Expected<std::vector<v1::CheckResult>> RunEventTable::ListResults(
    const RunId& run, std::uint64_t epoch) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT content FROM check_results WHERE run = $1 "
                          "AND epoch = $2 ORDER BY sequence",
                          {run.str(), static_cast<std::int64_t>(epoch)}));
  std::vector<v1::CheckResult> results;
  for (const sql::Row& row : found.rows)
    results.emplace_back().ParseFromString(row.Blob(0));
  return results;
}

Status RunEventTable::EraseLogs(const AttemptId& attempt) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "DELETE FROM run_events WHERE (kind = $2 OR kind = $3) AND "
      "run IN (SELECT id FROM runs WHERE attempt = $1)",
      {attempt.str(), sql::Number(v1::RunEvent::kLog),
       sql::Number(v1::RunEvent::kSpans)}));
  return {};
}

Expected<RunSpans> RunEventTable::ListSpans(const RunId& run,
                                            std::uint64_t epoch) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT content FROM run_events WHERE run = $1 AND "
                          "epoch = $2 AND kind = $3 ORDER BY sequence",
                          {run.str(), static_cast<std::int64_t>(epoch),
                           sql::Number(v1::RunEvent::kSpans)}));
  RunSpans spans;
  for (const sql::Row& row : found.rows) {
    v1::RunEvent event;
    event.ParseFromString(row.Blob(0));
    spans.dropped += event.spans().dropped();
    for (otlp::v1::Span& span : *event.mutable_spans()->mutable_spans())
      spans.spans.push_back(std::move(span));
  }
  return spans;
}

Expected<std::vector<StoredEvent>> RunEventTable::ListSpanEvents(
    const RunId& run, std::uint64_t epoch, std::int64_t after,
    std::int32_t limit) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          "SELECT sequence, content FROM run_events WHERE run = $1 AND "
          "epoch = $2 AND kind = $3 AND sequence > $4 ORDER BY sequence "
          "LIMIT $5",
          {run.str(), static_cast<std::int64_t>(epoch),
           sql::Number(v1::RunEvent::kSpans), after, std::int64_t{limit}}));
  std::vector<StoredEvent> events;
  for (const sql::Row& row : found.rows)
    events.push_back({row.Int(0), std::string(row.Blob(1))});
  return events;
}

}  // namespace assay::storage
