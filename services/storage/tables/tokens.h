#ifndef ASSAY_SERVICES_STORAGE_TABLES_TOKENS_H_
#define ASSAY_SERVICES_STORAGE_TABLES_TOKENS_H_

#include <optional>
#include <string>

#include "assay/v1/access.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/storage/page.h"
#include "services/storage/sql/connection.h"

namespace assay::storage {

struct TokenRecord {
  // What the token opens.
  enum class Scope {
    kApi = 1,
    // Git over HTTP, read and write, on `repository` only.
    kGit = 2,
    // Git over HTTP, reading only.
    kGitRead = 3,
  };
  TokenId id;
  std::string hash;  // SHA-256 of the secret, 64 hex digits
  v1::Role role = v1::ROLE_UNSPECIFIED;
  std::string label;
  Scope scope = Scope::kApi;
  AttemptId attempt;        // of a candidate's token
  RepositoryId repository;  // of a git token
  Clock::TimePoint create_time;
  std::optional<Clock::TimePoint> expire_time;
  std::optional<Clock::TimePoint> revoke_time;
};

class TokenTable {
 public:
  explicit TokenTable(sql::Connection& connection) : connection_(connection) {}

  Status Create(const TokenRecord& record);
  // Also revoked and expired ones: the caller judges by its clock.
  Expected<TokenRecord> GetByHash(const std::string& hash);
  // kNotFound: no such token. A repeat is accepted.
  Status Revoke(const TokenId& id, Clock::TimePoint now);
  // Revokes what opens `attempt`.
  Status RevokeOfAttempt(const AttemptId& attempt, Clock::TimePoint now);
  // Makes `record` the one token of a node: the one before, with the same
  // label, opens nothing any more and is forgotten.
  Status ReplaceOfNode(const TokenRecord& record);
  // Forgets the token of the node with this label, if it has one.
  Status RemoveOfNode(const std::string& label);
  // Whether an unrevoked API token of `role` exists.
  Expected<bool> HasRole(v1::Role role);
  // Removes git tokens that expired before `time`.
  Status DeleteExpired(Clock::TimePoint time);

 private:
  sql::Connection& connection_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_TOKENS_H_
