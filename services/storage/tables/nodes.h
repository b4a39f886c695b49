#ifndef ASSAY_SERVICES_STORAGE_TABLES_NODES_H_
#define ASSAY_SERVICES_STORAGE_TABLES_NODES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "assay/v1/node_service.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "services/storage/sql/connection.h"

namespace assay::storage {

// A coordinator that shares the store.
struct NodeRecord {
  std::string name;
  // Of its data directory: what tells a restart from a second node that took
  // the same name.
  std::string instance;
  // host:port, for other nodes; empty until it serves.
  std::string grpc_address;
  std::string web_address;
  std::string version;
  Clock::TimePoint start_time;
  Clock::TimePoint heartbeat;
  bool draining = false;
  v1::NodeLoad load;
};

// Times are the store's clock's.
class NodeTable {
 public:
  explicit NodeTable(sql::Connection& connection) : connection_(connection) {}

  // A node starts: makes its row, or takes its own over; draining ends.
  // kAlreadyExists: another data directory has the name.
  Status Register(const NodeRecord& record);
  // Stores what `record` says of addresses, load and heartbeat, and answers
  // with the row. kNotFound: it was forgotten, or its name is another's now.
  Expected<NodeRecord> Beat(const NodeRecord& record);
  // kNotFound for these.
  Expected<NodeRecord> Get(const std::string& name);
  Expected<NodeRecord> Drain(const std::string& name);
  Status Forget(const std::string& name);
  // By name.
  Expected<std::vector<NodeRecord>> List();

  // A secret of the installation that all nodes have: `value`, unless another
  // node was first; answers with what counts.
  Expected<std::string> ShareSecret(const std::string& name,
                                    const std::string& value);

 private:
  sql::Connection& connection_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_NODES_H_
