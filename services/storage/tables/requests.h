#ifndef ASSAY_SERVICES_STORAGE_TABLES_REQUESTS_H_
#define ASSAY_SERVICES_STORAGE_TABLES_REQUESTS_H_

#include <optional>
#include <string>

#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "services/storage/sql/connection.h"

namespace assay::storage {

// Who asked what under which id.
struct RequestKey {
  std::string caller;  // token id
  std::string method;  // "assay.v1.AttemptService/ExtendAttempt"
  std::string id;      // chosen by the caller
};

// Answers that were given, so that a repeated request gets the same one.
class RequestTable {
 public:
  explicit RequestTable(sql::Connection& connection)
      : connection_(connection) {}

  // The serialised answer, if this request was answered before.
  // kInvalidArgument: it was, with another content (`digest`).
  Expected<std::optional<std::string>> Find(const RequestKey& key,
                                            const std::string& digest);
  Status Record(const RequestKey& key, const std::string& digest,
                const std::string& response, Clock::TimePoint now);
  Status DeleteBefore(Clock::TimePoint time);

 private:
  sql::Connection& connection_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_REQUESTS_H_
