#include "services/storage/tables/nodes.h"

namespace assay::storage {
namespace {

#define ASSAY_NODE_COLUMNS                                           \
  "name, instance, grpc_address, web_address, version, start_time, " \
  "heartbeat, draining, load"

NodeRecord Read(const sql::Row& row) {
  NodeRecord node;
  node.name = row.Text(0);
  node.instance = row.Text(1);
  node.grpc_address = row.Text(2);
  node.web_address = row.Text(3);
  node.version = row.Text(4);
  node.start_time = row.Time(5);
  node.heartbeat = row.Time(6);
  node.draining = row.Flag(7);
  if (!row.IsNull(8)) node.load.ParseFromString(row.Blob(8));
  return node;
}

Expected<NodeRecord> Only(const Expected<sql::Result>& result,
                          const std::string& name) {
  if (!result) return std::unexpected(result.error());
  if (result->rows.empty())
    return NotFound("there is no node \"", name,
                    "\"; `assay admin node list` shows who there is");
  return Read(result->rows.front());
}

}  // namespace

Status NodeTable::Register(const NodeRecord& record) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result written,
      connection_.Execute(
          "INSERT INTO nodes (name, instance, grpc_address, web_address, "
          "version, start_time, heartbeat, draining, load) "
          "VALUES ($1, $2, $3, $4, $5, $6, $6, 0, NULL) "
          "ON CONFLICT (name) DO UPDATE SET "
          "grpc_address = excluded.grpc_address, "
          "web_address = excluded.web_address, version = excluded.version, "
          "start_time = excluded.start_time, heartbeat = excluded.heartbeat, "
          "draining = 0, load = NULL "
          "WHERE nodes.instance = excluded.instance",
          {record.name, record.instance, record.grpc_address,
           record.web_address, record.version, sql::Time(record.start_time)}));
  if (written.affected > 0) return {};
  return AlreadyExists("there is a node \"", record.name,
                       "\" with another data directory already: choose "
                       "another name with --node, or `assay admin node forget ",
                       record.name, "` if it is gone");
}

Expected<NodeRecord> NodeTable::Beat(const NodeRecord& record) {
  return Only(connection_.Execute(
                  "UPDATE nodes SET grpc_address = $3, web_address = $4, "
                  "heartbeat = $5, load = $6 WHERE name = $1 AND instance = $2 "
                  "RETURNING " ASSAY_NODE_COLUMNS,
                  {record.name, record.instance, record.grpc_address,
                   record.web_address, sql::Time(record.heartbeat),
                   sql::Bytes{record.load.SerializeAsString()}}),
              record.name);
}

Expected<NodeRecord> NodeTable::Get(const std::string& name) {
  return Only(
      connection_.Execute(
          "SELECT " ASSAY_NODE_COLUMNS " FROM nodes WHERE name = $1", {name}),
      name);
}

Expected<NodeRecord> NodeTable::Drain(const std::string& name) {
  return Only(connection_.Execute("UPDATE nodes SET draining = 1 "
                                  "WHERE name = $1 "
                                  "RETURNING " ASSAY_NODE_COLUMNS,
                                  {name}),
              name);
}

Status NodeTable::Forget(const std::string& name) {
  ASSAY_RETURN_IF_ERROR(Only(
      connection_.Execute(
          "DELETE FROM nodes WHERE name = $1 RETURNING " ASSAY_NODE_COLUMNS,
          {name}),
      name));
  return {};
}

Expected<std::vector<NodeRecord>> NodeTable::List() {
  ASSAY_ASSIGN_OR_RETURN(const sql::Result found,
                         connection_.Execute("SELECT " ASSAY_NODE_COLUMNS
                                             " FROM nodes ORDER BY name"));
  std::vector<NodeRecord> nodes;
  for (const sql::Row& row : found.rows) nodes.push_back(Read(row));
  return nodes;
}

Expected<std::string> NodeTable::ShareSecret(const std::string& name,
                                             const std::string& value) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "INSERT INTO shared_secrets (name, value) VALUES ($1, $2) "
      "ON CONFLICT (name) DO NOTHING",
      {name, value}));
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT value FROM shared_secrets WHERE name = $1",
                          {name}));
  return found.rows.front().Text(0);
}

}  // namespace assay::storage
