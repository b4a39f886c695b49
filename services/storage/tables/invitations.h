#ifndef ASSAY_SERVICES_STORAGE_TABLES_INVITATIONS_H_
#define ASSAY_SERVICES_STORAGE_TABLES_INVITATIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "assay/v1/invitation.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/storage/page.h"
#include "services/storage/sql/connection.h"

namespace assay::storage {

struct InvitationRecord {
  InvitationId id;
  AssignmentId assignment;
  std::int32_t assignment_version = 0;
  std::string candidate_name;
  std::string candidate_email;
  // SHA-256 of the link's secret. Resending replaces it.
  std::string secret_hash;
  // Factor on the time allowed.
  double accommodation = 1.0;
  // PENDING, ACCEPTED or REVOKED; expiry follows from `expire_time`.
  v1::Invitation::State state = v1::Invitation::STATE_PENDING;
  Clock::TimePoint create_time;
  Clock::TimePoint expire_time;
  AttemptId attempt;
};

class InvitationTable {
 public:
  explicit InvitationTable(sql::Connection& connection)
      : connection_(connection) {}

  Status Create(const InvitationRecord& record);
  Expected<InvitationRecord> Get(const InvitationId& id);
  Expected<InvitationRecord> GetBySecretHash(const std::string& hash);
  // Empty assignment: of all.
  Expected<PageOf<InvitationRecord>> List(const AssignmentId& assignment,
                                          const Page& page);
  // kAborted unless the invitation is pending.
  Status MarkAccepted(const InvitationId& id, const AttemptId& attempt);
  Status MarkRevoked(const InvitationId& id);
  // Takes the candidate's name and address away.
  Status Erase(const InvitationId& id);
  // Every other secret of the invitation stops working.
  Status ReplaceSecret(const InvitationId& id, const std::string& hash,
                       Clock::TimePoint expire_time);

  // What still opens something for whoever has the address (in any case):
  // pending before its expiry, or accepted. At most `limit`, newest first.
  Expected<std::vector<InvitationRecord>> ListOpen(const std::string& email,
                                                   Clock::TimePoint now,
                                                   std::int32_t limit);
  // One more secret, beside those that there are.
  Status AddSecret(const InvitationId& id, const std::string& hash,
                   Clock::TimePoint now);
  // How many were added at `from` or later.
  Expected<std::int64_t> CountSecretsSince(const InvitationId& id,
                                           Clock::TimePoint from);

 private:
  sql::Connection& connection_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_INVITATIONS_H_
