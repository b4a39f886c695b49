#ifndef ASSAY_SERVICES_STORAGE_TABLES_ENROLMENTS_H_
#define ASSAY_SERVICES_STORAGE_TABLES_ENROLMENTS_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "services/storage/sql/connection.h"

namespace assay::storage {

// A certificate that a worker has, by the SHA-256 of its bytes.
struct WorkerCertificate {
  std::string fingerprint;
  std::string worker;
  Clock::TimePoint create_time;
  Clock::TimePoint expire_time;
  std::optional<Clock::TimePoint> revoke_time;
};

// Who may become a worker, and who is one by certificate.
class EnrolmentTable {
 public:
  explicit EnrolmentTable(sql::Connection& connection)
      : connection_(connection) {}

  // Permission to enrol `worker` once, for whoever knows the secret of `hash`.
  Status Permit(const std::string& hash, const std::string& worker,
                const std::string& actor, Clock::TimePoint now,
                Clock::TimePoint expiry);
  // Uses a permission up, and answers with the worker's name.
  // kUnauthenticated: unknown, used before, or expired, which is said.
  Expected<std::string> UsePermission(const std::string& hash,
                                      Clock::TimePoint now);

  Status AddCertificate(const WorkerCertificate& certificate);
  // kNotFound: none of ours.
  Expected<WorkerCertificate> GetCertificate(const std::string& fingerprint);
  // Whether the worker has a certificate that is in force.
  Expected<bool> IsEnrolled(const std::string& worker, Clock::TimePoint now);
  // Ends every certificate of the worker, and what it could still enrol with.
  // Answers with how many there were.
  Expected<std::int64_t> Revoke(const std::string& worker,
                                Clock::TimePoint now);
  // The last expiry of each enrolled worker, by name.
  Expected<std::map<std::string, Clock::TimePoint>> Expiries();
  // Removes what ended before `time`.
  Status DeleteExpired(Clock::TimePoint time);

  // Certificates (PEM) of the authorities of all coordinators. A repeat is
  // accepted.
  Status AddAuthority(const std::string& fingerprint, const std::string& pem,
                      Clock::TimePoint now);
  Expected<std::vector<std::string>> Authorities();

 private:
  sql::Connection& connection_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_ENROLMENTS_H_
