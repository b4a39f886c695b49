#include "services/storage/tables/requests.h"

namespace assay::storage {

Expected<std::optional<std::string>> RequestTable::Find(
    const RequestKey& key, const std::string& digest) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT digest, response FROM requests "
                          "WHERE caller = $1 AND method = $2 AND id = $3",
                          {key.caller, key.method, key.id}));
  if (found.rows.empty()) return std::nullopt;
  const sql::Row& row = found.rows.front();
  if (row.Text(0) != digest)
    return InvalidArgument("request_id \"", key.id,
                           "\" was used before for a different ", key.method,
                           "; choose a new one for each request");
  return row.Blob(1);
}

Status RequestTable::Record(const RequestKey& key, const std::string& digest,
                            const std::string& response, Clock::TimePoint now) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "INSERT INTO requests (caller, method, id, digest, response, "
      "create_time) VALUES ($1, $2, $3, $4, $5, $6)",
      {key.caller, key.method, key.id, digest, sql::Bytes{response},
       sql::Time(now)}));
  return {};
}

Status RequestTable::DeleteBefore(Clock::TimePoint time) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "DELETE FROM requests WHERE create_time < $1", {sql::Time(time)}));
  return {};
}

}  // namespace assay::storage
