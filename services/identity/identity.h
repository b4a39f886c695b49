#ifndef ASSAY_SERVICES_IDENTITY_IDENTITY_H_
#define ASSAY_SERVICES_IDENTITY_IDENTITY_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "assay/v1/access.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/rpc/method_registry.h"

namespace assay::storage {
class Store;
}

namespace assay::identity {

template <class T>
using Async = boost::asio::awaitable<Expected<T>>;

// A token as it is handed out: the only copy of its secret.
struct MintedToken {
  TokenId id;
  // 256 random bits: "asy_" and 52 characters.
  std::string secret;
  // SHA-256 of the secret as hex: what the store keeps.
  std::string hash;
};

// Makes a token that is in no store yet: whoever makes one in a transaction of
// its own (accepting an invitation) inserts the hash there.
MintedToken MintToken();
// What the store keeps of a secret.
std::string HashToken(std::string_view secret);

// How long a browser stays signed in: in all, and unused.
inline constexpr std::chrono::hours kSessionLife{7 * 24};
inline constexpr std::chrono::hours kSessionRest{12};

// What the store keeps of the session that `caller` came with; empty where it
// was a token.
std::string SessionHashOf(const rpc::Caller& caller);

// Whoever holds a git token, and the one repository that it opens.
struct GitAccess {
  AttemptId attempt;
  RepositoryId repository;
  bool may_push = false;
};

// Says who a caller is. What they may do is the proto's `access` option and
// the handlers' business.
//
// Ownership: borrows `store` and `clock`.
// Threads: confined to the coordinator's strand.
// Errors: kUnauthenticated for a token that is unknown, expired or revoked;
// the message never repeats it.
class Identity {
 public:
  Identity(storage::Store& store, const Clock& clock);

  // `authorization` is the header's value: "Bearer asy_...", or "Session
  // asy_..." for what the web port found in the cookie. A session has the role
  // that its account has now.
  Async<rpc::Caller> Authenticate(std::string authorization);

  // Makes and stores a token. `expire_time` absent: until revoked.
  Async<MintedToken> CreateToken(v1::Role role, std::string label,
                                 AttemptId attempt,
                                 std::optional<Clock::TimePoint> expire_time);
  Async<void> RevokeToken(TokenId token);
  // The token by which the node (nodes/{node}) calls others, from now on: the
  // one before is over. It is good until the node starts again or is forgotten.
  Async<MintedToken> CreateNodeToken(std::string node);

  // A password for git, good for one repository and a month.
  Async<MintedToken> CreateGitToken(AttemptId attempt, RepositoryId repository);
  // One for those who review: it cannot push, and is good for an hour.
  Async<MintedToken> CreateGitReadToken(AttemptId attempt,
                                        RepositoryId repository);
  // `authorization` is "Basic ..."; only the password counts. kUnauthenticated
  // without one; kPermissionDenied for a token of another repository.
  Async<GitAccess> AuthenticateGit(std::string authorization,
                                   RepositoryId repository);

  // Makes `admin.token` and `worker.token` (mode 0600) in `data_dir` at the
  // first start. An admin's file that somebody has removed stays away.
  Async<void> EnsureTokenFiles(std::filesystem::path data_dir);

 private:
  Async<rpc::Caller> AuthenticateSession(std::string secret);
  Async<MintedToken> MintGitToken(AttemptId attempt, RepositoryId repository,
                                  bool may_push);
  Async<void> EnsureTokenFile(std::filesystem::path file, v1::Role role,
                              std::string label);

  storage::Store& store_;
  const Clock& clock_;
};

}  // namespace assay::identity

#endif  // ASSAY_SERVICES_IDENTITY_IDENTITY_H_
