#include "services/identity/identity.h"

#include <sodium.h>

#include <chrono>
#include <utility>

#include "proto/base/digest.h"
#include "services/identity/token_file.h"
#include "services/storage/store.h"

namespace assay::identity {
namespace {

using storage::TokenRecord;
using storage::Transaction;

constexpr std::string_view kPrefix = "asy_";
// In the place of a token's id: a session.
constexpr std::string_view kSessionPrefix = "session:";
// How exactly the store knows when a session was last used.
constexpr std::chrono::minutes kTouchInterval{5};
constexpr std::size_t kMaxHeader = 1'024;
// A candidate pushes as long as the attempt runs, with the password that git
// was given once; a push after the cut-off is refused whatever the password.
constexpr std::chrono::hours kGitTokenLife{31 * 24};
constexpr std::chrono::hours kGitReadTokenLife{1};

std::unexpected<Error> NoSuchToken() {
  return Unauthenticated(
      "this token is not valid here: it is mistyped, expired or revoked");
}

// Who asks is nobody yet, and what the store says names hosts, files and roles.
std::unexpected<Error> NobodyCanBeTold() {
  return Unavailable(
      "the store cannot be reached, so nothing was done; try again in a while "
      "(the log of assayd says why)");
}

// What follows "Bearer " (in any case) or "Basic ".
std::optional<std::string_view> Credentials(std::string_view header,
                                            std::string_view scheme) {
  if (header.size() <= scheme.size() || header.size() > kMaxHeader)
    return std::nullopt;
  for (std::size_t i = 0; i < scheme.size(); ++i)
    if ((header[i] | 0x20) != (scheme[i] | 0x20)) return std::nullopt;
  if (header[scheme.size()] != ' ') return std::nullopt;
  header.remove_prefix(scheme.size() + 1);
  return header;
}

// The password of "user:password" in base64; the user's name says nothing.
std::optional<std::string> BasicPassword(std::string_view header) {
  const auto encoded = Credentials(header, "basic");
  if (!encoded) return std::nullopt;
  std::string plain(encoded->size(), '\0');
  std::size_t size = 0;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(plain.data()),
                        plain.size(), encoded->data(), encoded->size(), nullptr,
                        &size, nullptr, sodium_base64_VARIANT_ORIGINAL) != 0)
    return std::nullopt;
  plain.resize(size);
  const std::size_t colon = plain.find(':');
  if (colon == std::string::npos) return std::nullopt;
  return plain.substr(colon + 1);
}

bool IsLive(const TokenRecord& token, Clock::TimePoint now) {
  return !token.revoke_time && (!token.expire_time || now < *token.expire_time);
}

// The live token with this secret.
Async<TokenRecord> Find(storage::Store& store, const Clock& clock,
                        std::string secret) {
  Expected<TokenRecord> token =
      co_await store.Read([hash = HashToken(secret)](Transaction& tx) {
        return tx.tokens.GetByHash(hash);
      });
  if (!token && token.error().code != Code::kNotFound)
    co_return NobodyCanBeTold();
  if (!token || !IsLive(*token, clock.Now())) co_return NoSuchToken();
  co_return token;
}

}  // namespace

MintedToken MintToken() {
  MintedToken token{.id = TokenId::Random(),
                    .secret = std::string(kPrefix) + RandomToken(52)};
  token.hash = HashToken(token.secret);
  return token;
}

std::string HashToken(std::string_view secret) { return Sha256Hex(secret); }

std::string SessionHashOf(const rpc::Caller& caller) {
  const std::string& id = caller.token.str();
  return id.starts_with(kSessionPrefix) ? id.substr(kSessionPrefix.size()) : "";
}

Identity::Identity(storage::Store& store, const Clock& clock)
    : store_(store), clock_(clock) {}

Async<rpc::Caller> Identity::Authenticate(std::string authorization) {
  if (const auto session = Credentials(authorization, "session"))
    co_return co_await AuthenticateSession(std::string(*session));
  const auto secret = Credentials(authorization, "bearer");
  if (!secret)
    co_return Unauthenticated(
        "no token: expected the header \"authorization: Bearer ...\"");
  auto token = co_await Find(store_, clock_, std::string(*secret));
  if (!token) co_return std::unexpected(std::move(token).error());
  if (token->scope != TokenRecord::Scope::kApi)
    co_return Unauthenticated("this token opens a git repository only");
  co_return rpc::Caller{.role = token->role,
                        .token = token->id,
                        .label = token->label,
                        .attempt = token->attempt};
}

Async<rpc::Caller> Identity::AuthenticateSession(std::string secret) {
  struct Found {
    storage::SessionRecord session;
    storage::AccountRecord account;
  };
  const std::string hash = HashToken(secret);
  const Clock::TimePoint now = clock_.Now();
  const auto found =
      co_await store_.Read([hash](Transaction& tx) -> Expected<Found> {
        Found both;
        ASSAY_ASSIGN_OR_RETURN(both.session, tx.accounts.GetSession(hash));
        ASSAY_ASSIGN_OR_RETURN(both.account,
                               tx.accounts.Get(both.session.account));
        return both;
      });
  if (!found && found.error().code != Code::kNotFound)
    co_return NobodyCanBeTold();
  if (!found || found->account.disabled || now >= found->session.expire_time ||
      now >= found->session.use_time + kSessionRest)
    co_return Unauthenticated("the session is over: sign in again");
  // A read-only store still lets people read.
  if (now - found->session.use_time >= kTouchInterval)
    static_cast<void>(co_await store_.Write([hash, now](Transaction& tx) {
      return tx.accounts.TouchSession(hash, now);
    }));
  co_return rpc::Caller{.role = found->account.role,
                        .token = TokenId(std::string(kSessionPrefix) + hash),
                        .label = found->account.id};
}

Async<MintedToken> Identity::CreateToken(
    v1::Role role, std::string label, AttemptId attempt,
    std::optional<Clock::TimePoint> expire_time) {
  MintedToken minted = MintToken();
  TokenRecord record{.id = minted.id,
                     .hash = minted.hash,
                     .role = role,
                     .label = std::move(label),
                     .attempt = std::move(attempt),
                     .create_time = clock_.Now(),
                     .expire_time = expire_time};
  Status status =
      co_await store_.Write([record = std::move(record)](Transaction& tx) {
        return tx.tokens.Create(record);
      });
  if (!status) co_return std::unexpected(std::move(status).error());
  co_return minted;
}

Async<void> Identity::RevokeToken(TokenId token) {
  co_return co_await store_.Write(
      [token = std::move(token), now = clock_.Now()](Transaction& tx) {
        return tx.tokens.Revoke(token, now);
      });
}

Async<MintedToken> Identity::CreateNodeToken(std::string node) {
  MintedToken minted = MintToken();
  TokenRecord record{.id = minted.id,
                     .hash = minted.hash,
                     .role = v1::ROLE_NODE,
                     .label = std::move(node),
                     .create_time = clock_.Now()};
  Status status =
      co_await store_.Write([record = std::move(record)](Transaction& tx) {
        return tx.tokens.ReplaceOfNode(record);
      });
  if (!status) co_return std::unexpected(std::move(status).error());
  co_return minted;
}

Async<MintedToken> Identity::CreateGitToken(AttemptId attempt,
                                            RepositoryId repository) {
  return MintGitToken(std::move(attempt), std::move(repository), true);
}

Async<MintedToken> Identity::CreateGitReadToken(AttemptId attempt,
                                                RepositoryId repository) {
  return MintGitToken(std::move(attempt), std::move(repository), false);
}

Async<MintedToken> Identity::MintGitToken(AttemptId attempt,
                                          RepositoryId repository,
                                          bool may_push) {
  MintedToken minted = MintToken();
  const Clock::TimePoint now = clock_.Now();
  TokenRecord record{
      .id = minted.id,
      .hash = minted.hash,
      .role = v1::ROLE_CANDIDATE,
      .label = "git",
      .scope =
          may_push ? TokenRecord::Scope::kGit : TokenRecord::Scope::kGitRead,
      .attempt = std::move(attempt),
      .repository = std::move(repository),
      .create_time = now,
      .expire_time = now + (may_push ? kGitTokenLife : kGitReadTokenLife)};
  Status status = co_await store_.Write(
      [record = std::move(record), now](Transaction& tx) -> Status {
        ASSAY_RETURN_IF_ERROR(tx.tokens.DeleteExpired(now));
        return tx.tokens.Create(record);
      });
  if (!status) co_return std::unexpected(std::move(status).error());
  co_return minted;
}

Async<GitAccess> Identity::AuthenticateGit(std::string authorization,
                                           RepositoryId repository) {
  const auto password = BasicPassword(authorization);
  if (!password) co_return Unauthenticated("a token is needed");
  auto token = co_await Find(store_, clock_, *password);
  if (!token) co_return std::unexpected(std::move(token).error());
  if (token->scope == TokenRecord::Scope::kApi)
    co_return Unauthenticated(
        "this token is for the API: make one for git with "
        "`assay attempt token` or on the attempt's page");
  if (token->repository != repository)
    co_return PermissionDenied("this token opens another repository");
  co_return GitAccess{.attempt = token->attempt,
                      .repository = token->repository,
                      .may_push = token->scope == TokenRecord::Scope::kGit};
}

Async<void> Identity::EnsureTokenFiles(std::filesystem::path data_dir) {
  ASSAY_CO_RETURN_IF_ERROR(co_await EnsureTokenFile(
      data_dir / "admin.token", v1::ROLE_ADMIN, "first admin"));
  co_return co_await EnsureTokenFile(data_dir / "worker.token", v1::ROLE_WORKER,
                                     "local worker");
}

Async<void> Identity::EnsureTokenFile(std::filesystem::path file, v1::Role role,
                                      std::string label) {
  auto known = co_await store_.Read(
      [role](Transaction& tx) { return tx.tokens.HasRole(role); });
  if (!known) co_return std::unexpected(std::move(known).error());
  const std::string present = ReadTokenFile(file);
  if (present.empty() && *known && role == v1::ROLE_ADMIN) co_return Status();
  MintedToken token = MintToken();
  if (!present.empty()) {
    token.secret = present;
    token.hash = HashToken(present);
  } else {
    // The file first: a token that only the store knows is lost.
    ASSAY_CO_RETURN_IF_ERROR(WriteTokenFile(file, token.secret));
  }
  TokenRecord record{.id = token.id,
                     .hash = token.hash,
                     .role = role,
                     .label = std::move(label),
                     .create_time = clock_.Now()};
  co_return co_await store_.Write(
      [record = std::move(record), known = *known](Transaction& tx) -> Status {
        const auto row = tx.tokens.GetByHash(record.hash);
        if (row) return {};
        if (row.error().code != Code::kNotFound)
          return std::unexpected(row.error());
        // A file of another installation must not let anybody in here.
        if (known && record.role == v1::ROLE_ADMIN) return {};
        return tx.tokens.Create(record);
      });
}

}  // namespace assay::identity
