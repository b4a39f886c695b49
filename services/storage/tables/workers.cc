#include "services/storage/tables/workers.h"

namespace assay::storage {
namespace {

#define ASSAY_WORKER_COLUMNS                                         \
  "name, state, reason, actor, state_time, version, cores, memory, " \
  "attach_time, faults, fault_run, fault, offer"

// States stand as literals below.
static_assert(v1::Worker::STATE_ACTIVE == 1 &&
              v1::Worker::STATE_QUARANTINED == 3);

WorkerRecord Read(const sql::Row& row) {
  WorkerRecord worker;
  worker.name = row.Text(0);
  worker.state = static_cast<v1::Worker::State>(row.Int(1));
  worker.reason = row.Text(2);
  worker.actor = row.Text(3);
  worker.state_time = row.Time(4);
  worker.version = row.Text(5);
  worker.cores = static_cast<std::int32_t>(row.Int(6));
  worker.memory_bytes = row.Int(7);
  worker.attach_time = row.Time(8);
  worker.faults = static_cast<std::int32_t>(row.Int(9));
  worker.fault_run = RunId(row.Text(10));
  worker.fault = row.Text(11);
  worker.offer = ParseNeeds(row.Text(12)).value_or(Needs());
  return worker;
}

Expected<WorkerRecord> Only(const Expected<sql::Result>& result,
                            const std::string& name) {
  if (!result) return std::unexpected(result.error());
  if (result->rows.empty())
    return NotFound("no worker called \"", name,
                    "\" has attached; `assay worker list` shows who has");
  return Read(result->rows.front());
}

}  // namespace

Expected<WorkerRecord> WorkerTable::Attach(const WorkerRecord& said) {
  return Only(
      connection_.Execute(
          "INSERT INTO workers (name, state, reason, actor, state_time, "
          "version, cores, memory, attach_time, faults, fault_run, fault, "
          "offer) VALUES ($1, 1, '', '', $5, $2, $3, $4, $5, 0, '', '', $6) "
          "ON CONFLICT (name) DO UPDATE SET version = excluded.version, "
          "cores = excluded.cores, memory = excluded.memory, "
          "attach_time = excluded.attach_time, offer = excluded.offer "
          "RETURNING " ASSAY_WORKER_COLUMNS,
          {said.name, said.version, sql::Number(said.cores),
           sql::Number(said.memory_bytes), sql::Time(said.attach_time),
           FormatNeeds(said.offer)}),
      said.name);
}

Expected<WorkerRecord> WorkerTable::SetState(const std::string& name,
                                             v1::Worker::State state,
                                             const std::string& reason,
                                             const std::string& actor,
                                             Clock::TimePoint now) {
  if (state == v1::Worker::STATE_ACTIVE)
    return Only(connection_.Execute(
                    "UPDATE workers SET state = 1, reason = '', actor = $2, "
                    "state_time = $3, faults = 0, fault_run = '', fault = '' "
                    "WHERE name = $1 RETURNING " ASSAY_WORKER_COLUMNS,
                    {name, actor, sql::Time(now)}),
                name);
  return Only(
      connection_.Execute(
          "UPDATE workers SET state = $2, reason = $3, actor = $4, "
          "state_time = $5 WHERE name = $1 RETURNING " ASSAY_WORKER_COLUMNS,
          {name, sql::Number(state), reason, actor, sql::Time(now)}),
      name);
}

Expected<WorkerRecord> WorkerTable::AddFault(const std::string& name,
                                             const RunId& run,
                                             const std::string& fault,
                                             Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(
      WorkerRecord worker,
      Only(connection_.Execute(
               "UPDATE workers SET fault = $3, fault_run = $2, faults = faults "
               "+ CASE WHEN fault_run = $2 THEN 0 ELSE 1 END "
               "WHERE name = $1 RETURNING " ASSAY_WORKER_COLUMNS,
               {name, run.str(), fault}),
           name));
  if (worker.faults < kMaxFaults || worker.state != v1::Worker::STATE_ACTIVE)
    return worker;
  return SetState(name, v1::Worker::STATE_QUARANTINED,
                  std::to_string(worker.faults) +
                      " runs in a row ended by its own fault, last: " + fault,
                  "system", now);
}

Status WorkerTable::ClearFaults(const std::string& name) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "UPDATE workers SET faults = 0, fault_run = '', fault = '' "
      "WHERE name = $1 AND faults > 0",
      {name}));
  return {};
}

Status WorkerTable::Forget(const std::string& name) {
  ASSAY_RETURN_IF_ERROR(Only(
      connection_.Execute(
          "DELETE FROM workers WHERE name = $1 RETURNING " ASSAY_WORKER_COLUMNS,
          {name}),
      name));
  return {};
}

Expected<WorkerRecord> WorkerTable::Get(const std::string& name) {
  return Only(connection_.Execute("SELECT " ASSAY_WORKER_COLUMNS
                                  " FROM workers WHERE name = $1",
                                  {name}),
              name);
}

Expected<std::vector<WorkerRecord>> WorkerTable::List() {
  ASSAY_ASSIGN_OR_RETURN(const sql::Result found,
                         connection_.Execute("SELECT " ASSAY_WORKER_COLUMNS
                                             " FROM workers ORDER BY name"));
  std::vector<WorkerRecord> workers;
  for (const sql::Row& row : found.rows) workers.push_back(Read(row));
  return workers;
}

}  // namespace assay::storage
