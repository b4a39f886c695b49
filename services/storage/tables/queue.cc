#include "services/storage/tables/queue.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "services/storage/tables/oldest_run.h"

namespace assay::storage {
namespace {

// `waiting` walks the lanes that have queued runs, one look into the index for
// each; `head` is the first run of each. No join: PostgreSQL would read the
// whole history for one.
#define ASSAY_HEADS                                                \
  "WITH RECURSIVE waiting (lane) AS ("                             \
  "SELECT MIN(lane) FROM runs WHERE state = 1 "                    \
  "UNION ALL SELECT (SELECT MIN(r.lane) FROM runs AS r "           \
  "WHERE r.state = 1 AND r.lane > waiting.lane) "                  \
  "FROM waiting WHERE waiting.lane IS NOT NULL), "                 \
  "head (lane, id) AS MATERIALIZED (SELECT waiting.lane, "         \
  "(SELECT r.id FROM runs AS r "                                   \
  "WHERE r.state = 1 AND r.lane = waiting.lane AND " ASSAY_MAY_RUN \
  " ORDER BY r.priority DESC, r.queue_time, r.id LIMIT 1) "        \
  "FROM waiting WHERE waiting.lane IS NOT NULL) "                  \
  "SELECT head.id, head.lane, "                                    \
  "(SELECT r.assignment FROM runs AS r WHERE r.id = head.id), "    \
  "(SELECT r.priority FROM runs AS r WHERE r.id = head.id), "      \
  "(SELECT r.queue_time FROM runs AS r WHERE r.id = head.id) "     \
  "FROM head WHERE head.id IS NOT NULL"

// The oldest of the most urgent runs, and what says that there are other lanes
// beside its own.
constexpr const char* kOldest =
    "SELECT (SELECT MIN(lane) FROM runs WHERE state = 1), "
    "(SELECT MAX(lane) FROM runs WHERE state = 1), (" ASSAY_OLDEST_RUN ")";

// Takes turns between assignments: each has its runs in order, and as many
// under way as `busy` says.
std::vector<QueuedRun> TakeTurns(
    std::map<AssignmentId, std::vector<QueuedRun>> waiting,
    std::map<AssignmentId, std::int32_t> busy, std::size_t limit) {
  std::map<AssignmentId, std::size_t> next;
  std::vector<QueuedRun> order;
  while (order.size() < limit) {
    const QueuedRun* first = nullptr;
    const auto key = [&](const QueuedRun& run) {
      return std::tuple(-PriorityOf(run.kind), busy[run.assignment],
                        run.queue_time, run.run);
    };
    for (const auto& [assignment, runs] : waiting) {
      if (next[assignment] == runs.size()) continue;
      const QueuedRun& head = runs[next[assignment]];
      if (first == nullptr || key(head) < key(*first)) first = &head;
    }
    if (first == nullptr) break;
    order.push_back(*first);
    ++next[first->assignment];
    ++busy[first->assignment];
  }
  return order;
}

}  // namespace

std::int64_t PriorityOf(v1::Run::Kind kind) {
  switch (kind) {
    case v1::Run::KIND_FINAL:
      return 3;
    case v1::Run::KIND_PUSH:
    case v1::Run::KIND_REFERENCE:
      return 2;
    default:
      return 1;
  }
}

std::string NeedsOfLane(const std::string& lane) {
  const std::size_t space = lane.find(' ');
  return space == std::string::npos ? std::string() : lane.substr(space + 1);
}

Expected<std::vector<QueueHead>> QueueTable::ListHeads() {
  ASSAY_ASSIGN_OR_RETURN(const sql::Result oldest,
                         connection_.Execute(kOldest));
  const sql::Row& first = oldest.rows.front();
  std::vector<QueueHead> heads;
  if (first.IsNull(2)) return heads;
  // Mostly there is one lane, and nothing to take turns with.
  if (first.Text(0) == first.Text(1)) {
    QueueHead& head = heads.emplace_back();
    head.run = RunId(first.Text(2));
    head.lane = first.Text(0);
    head.needs = NeedsOfLane(head.lane);
    return heads;
  }
  ASSAY_ASSIGN_OR_RETURN(const sql::Result found,
                         connection_.Execute(ASSAY_HEADS));
  ASSAY_ASSIGN_OR_RETURN(const auto busy, CountBusy());
  for (const sql::Row& row : found.rows) {
    QueueHead& head = heads.emplace_back();
    head.run = RunId(row.Text(0));
    head.lane = row.Text(1);
    head.needs = NeedsOfLane(head.lane);
    head.assignment = AssignmentId(row.Text(2));
    head.priority = row.Int(3);
    head.queue_time = row.Time(4);
    if (const auto it = busy.find(head.assignment); it != busy.end())
      head.busy = it->second;
  }
  std::ranges::sort(heads, {}, [](const QueueHead& head) {
    return std::tuple(-head.priority, head.busy, head.queue_time, head.run);
  });
  return heads;
}

Expected<std::map<AssignmentId, std::int32_t>> QueueTable::CountBusy() {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT assignment, COUNT(*) FROM runs "
                          "WHERE state = 2 GROUP BY assignment"));
  std::map<AssignmentId, std::int32_t> busy;
  for (const sql::Row& row : found.rows)
    busy[AssignmentId(row.Text(0))] = static_cast<std::int32_t>(row.Int(1));
  return busy;
}

Expected<std::vector<std::string>> QueueTable::ListLanes() {
  std::vector<std::string> lanes;
  std::string last;
  for (;;) {
    ASSAY_ASSIGN_OR_RETURN(
        const sql::Result found,
        connection_.Execute(
            "SELECT MIN(lane) FROM runs WHERE state = 1 AND lane > $1",
            {last}));
    if (found.rows.front().IsNull(0)) return lanes;
    last = found.rows.front().Text(0);
    lanes.push_back(last);
  }
}

Expected<std::vector<QueuedRun>> QueueTable::ListLane(const std::string& lane,
                                                      std::int32_t limit) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          "SELECT id, attempt, assignment, kind, queue_time FROM runs "
          "WHERE state = 1 AND lane = $1 "
          "ORDER BY priority DESC, queue_time, id LIMIT $2",
          {lane, sql::Number(limit)}));
  std::vector<QueuedRun> runs;
  for (const sql::Row& row : found.rows)
    runs.push_back({.run = RunId(row.Text(0)),
                    .attempt = AttemptId(row.Text(1)),
                    .assignment = AssignmentId(row.Text(2)),
                    .kind = static_cast<v1::Run::Kind>(row.Int(3)),
                    .needs = NeedsOfLane(lane),
                    .queue_time = row.Time(4)});
  return runs;
}

Expected<std::map<std::string, std::int32_t>> QueueTable::CountByNeeds() {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT lane, COUNT(*) FROM runs WHERE state = 1 "
                          "GROUP BY lane"));
  std::map<std::string, std::int32_t> counts;
  for (const sql::Row& row : found.rows)
    counts[NeedsOfLane(row.Text(0))] += static_cast<std::int32_t>(row.Int(1));
  return counts;
}

Expected<std::vector<QueuedRun>> QueueTable::List(std::int32_t limit) {
  std::map<AssignmentId, std::vector<QueuedRun>> waiting;
  ASSAY_ASSIGN_OR_RETURN(const auto lanes, ListLanes());
  for (const std::string& lane : lanes) {
    ASSAY_ASSIGN_OR_RETURN(auto runs, ListLane(lane, limit));
    for (QueuedRun& run : runs)
      waiting[run.assignment].push_back(std::move(run));
  }
  for (auto& [assignment, runs] : waiting)
    std::ranges::sort(runs, {}, [](const QueuedRun& run) {
      return std::tuple(-PriorityOf(run.kind), run.queue_time, run.run);
    });
  ASSAY_ASSIGN_OR_RETURN(auto busy, CountBusy());
  return TakeTurns(std::move(waiting), std::move(busy),
                   static_cast<std::size_t>(limit));
}

// As List would find, by counting. All of a higher priority go first, and make
// their assignments busier; from then on an assignment's n-th run waits until
// the others have as many under way.
Expected<std::int32_t> QueueTable::Position(const RunRecord& run) {
  const std::int64_t priority = PriorityOf(run.kind);
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          "SELECT lane, SUM(CASE WHEN priority > $1 THEN 1 ELSE 0 END), "
          "SUM(CASE WHEN priority = $1 THEN 1 ELSE 0 END), "
          "SUM(CASE WHEN priority = $1 AND (queue_time < $2 OR "
          "(queue_time = $2 AND id < $3)) THEN 1 ELSE 0 END) "
          "FROM runs WHERE state = 1 GROUP BY lane",
          {priority, sql::Time(run.queue_time), run.id.str()}));
  struct Waiting {
    std::int64_t higher = 0;
    std::int64_t equal = 0;
    std::int64_t earlier = 0;
    std::vector<std::string> lanes;
  };
  std::map<AssignmentId, Waiting> waiting;
  for (const sql::Row& row : found.rows) {
    const std::string& lane = row.Text(0);
    Waiting& of = waiting[AssignmentId(lane.substr(0, lane.find(' ')))];
    of.higher += row.Int(1);
    of.equal += row.Int(2);
    of.earlier += row.Int(3);
    of.lanes.push_back(lane);
  }
  ASSAY_ASSIGN_OR_RETURN(auto busy, CountBusy());
  const Waiting& own = waiting[run.assignment];
  const std::int64_t level = busy[run.assignment] + own.higher + own.earlier;
  std::int64_t ahead = 0;
  for (const auto& [assignment, of] : waiting) {
    ahead += of.higher;
    if (assignment == run.assignment) {
      ahead += of.earlier;
      continue;
    }
    const std::int64_t before = level - busy[assignment] - of.higher;
    ahead += std::clamp<std::int64_t>(before, 0, of.equal);
    if (before < 0 || before >= of.equal) continue;
    // At the same level: whichever of the two was queued first.
    ASSAY_ASSIGN_OR_RETURN(const auto rival, Nth(of.lanes, priority, before));
    if (rival && *rival < std::pair(run.queue_time, run.id)) ++ahead;
  }
  return static_cast<std::int32_t>(ahead);
}

Expected<std::optional<QueueTable::Turn>> QueueTable::Nth(
    const std::vector<std::string>& lanes, std::int64_t priority,
    std::int64_t number) {
  std::vector<Turn> turns;
  for (const std::string& lane : lanes) {
    ASSAY_ASSIGN_OR_RETURN(
        const sql::Result found,
        connection_.Execute(
            "SELECT queue_time, id FROM runs WHERE state = 1 AND lane = $1 "
            "AND priority = $2 ORDER BY queue_time, id LIMIT $3",
            {lane, priority, number + 1}));
    for (const sql::Row& row : found.rows)
      turns.emplace_back(row.Time(0), RunId(row.Text(1)));
  }
  std::ranges::sort(turns);
  const auto at = static_cast<std::size_t>(number);
  if (at >= turns.size()) return std::nullopt;
  return turns[at];
}

}  // namespace assay::storage
