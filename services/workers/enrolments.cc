#include "services/workers/enrolments.h"

#include <utility>

#include "proto/base/digest.h"
#include "proto/base/id.h"

namespace assay::workers {
namespace {

using storage::Transaction;

// Long enough to wonder what became of a worker.
constexpr std::chrono::hours kKeptAfterExpiry{90 * 24};
constexpr const char* kTokenPrefix = "enrol_";

Status Add(Transaction& tx, const Certificate& issued, const std::string& actor,
           const char* action, Clock::TimePoint now) {
  ASSAY_RETURN_IF_ERROR(
      tx.enrolments.AddCertificate({.fingerprint = issued.fingerprint,
                                    .worker = issued.name,
                                    .create_time = now,
                                    .expire_time = issued.expiry}));
  return tx.audit.Append({.time = now,
                          .actor = actor,
                          .action = action,
                          .subject = "workers/" + issued.name,
                          .detail = "certificate " + issued.fingerprint});
}

std::unexpected<Error> Revoked(const std::string& worker) {
  return Fail(Code::kPermissionDenied, "the certificate of worker ", worker,
              " was revoked: enrol it anew with `assay worker enrol ", worker,
              "` if it is to come back");
}

Status StillCounts(const storage::WorkerCertificate& kept,
                   Clock::TimePoint now) {
  if (kept.revoke_time) return Revoked(kept.worker);
  if (kept.expire_time <= now)
    return Fail(Code::kUnauthenticated, "the certificate of worker ",
                kept.worker, " has expired: it should have been renewed");
  return {};
}

}  // namespace

Enrolments::Enrolments(storage::Store& store, const Clock& clock,
                       CertificateAuthority authority,
                       std::chrono::seconds certificate_life)
    : store_(store),
      clock_(clock),
      authority_(
          std::make_shared<const CertificateAuthority>(std::move(authority))),
      life_(certificate_life) {}

rpc::Async<void> Enrolments::Announce() {
  co_return co_await store_.Write([authority = authority_->certificate(),
                                   now = clock_.Now()](
                                      Transaction& tx) -> Status {
    ASSAY_RETURN_IF_ERROR(tx.enrolments.DeleteExpired(now - kKeptAfterExpiry));
    return tx.enrolments.AddAuthority(authority.fingerprint, authority.pem,
                                      now);
  });
}

rpc::Async<Enrolments::Permission> Enrolments::Permit(
    std::string worker, std::chrono::seconds valid, std::string actor) {
  const Permission permission{.token = kTokenPrefix + RandomToken(52),
                              .expiry = clock_.Now() + valid};
  ASSAY_CO_RETURN_IF_ERROR(co_await store_.Write(
      [worker = std::move(worker), actor = std::move(actor),
       hash = Sha256Hex(permission.token), expiry = permission.expiry,
       now = clock_.Now()](Transaction& tx) -> Status {
        ASSAY_RETURN_IF_ERROR(
            tx.enrolments.Permit(hash, worker, actor, now, expiry));
        return tx.audit.Append({.time = now,
                                .actor = actor,
                                .action = "worker.enrol",
                                .subject = "workers/" + worker});
      }));
  co_return permission;
}

// A request that is wrong leaves the token as it was.
rpc::Async<Certificate> Enrolments::Enrol(std::string token,
                                          std::string request) {
  co_return co_await store_.Write(
      [authority = authority_, hash = Sha256Hex(token),
       request = std::move(request), life = life_,
       now = clock_.Now()](Transaction& tx) -> Expected<Certificate> {
        ASSAY_ASSIGN_OR_RETURN(const std::string worker,
                               tx.enrolments.UsePermission(hash, now));
        ASSAY_ASSIGN_OR_RETURN(Certificate issued,
                               authority->Issue(request, worker, now, life));
        ASSAY_RETURN_IF_ERROR(
            Add(tx, issued, "workers/" + worker, "worker.enrolled", now));
        return issued;
      });
}

// In one step with the check, or a worker could renew its way past being
// revoked at another coordinator.
rpc::Async<Certificate> Enrolments::Renew(std::string fingerprint,
                                          std::string request) {
  co_return co_await store_.Write(
      [authority = authority_, fingerprint = std::move(fingerprint),
       request = std::move(request), life = life_,
       now = clock_.Now()](Transaction& tx) -> Expected<Certificate> {
        ASSAY_ASSIGN_OR_RETURN(const auto shown,
                               tx.enrolments.GetCertificate(fingerprint));
        ASSAY_RETURN_IF_ERROR(StillCounts(shown, now));
        ASSAY_ASSIGN_OR_RETURN(
            Certificate issued,
            authority->Issue(request, shown.worker, now, life));
        ASSAY_RETURN_IF_ERROR(
            Add(tx, issued, "workers/" + shown.worker, "worker.renew", now));
        return issued;
      });
}

rpc::Async<Certificate> Enrolments::Judge(std::string pem) {
  Expected<Certificate> shown = ReadCertificate(pem);
  if (!shown)
    co_return Fail(Code::kUnauthenticated,
                   "the client's certificate: ", shown.error().message);
  co_return co_await store_.Read([shown = *std::move(shown),
                                  now = clock_.Now()](
                                     Transaction& tx) -> Expected<Certificate> {
    ASSAY_ASSIGN_OR_RETURN(const auto authorities, tx.enrolments.Authorities());
    ASSAY_RETURN_IF_ERROR(CheckIssued(shown, authorities, now));
    const auto kept = tx.enrolments.GetCertificate(shown.fingerprint);
    if (!kept && kept.error().code != Code::kNotFound)
      return std::unexpected(kept.error());
    if (!kept || kept->worker != shown.name)
      return Fail(Code::kUnauthenticated,
                  "this worker's certificate is not in the store: enrol it "
                  "anew with `assay worker enrol ",
                  shown.name, "`");
    if (kept->revoke_time) return Revoked(shown.name);
    return shown;
  });
}

rpc::Async<void> Enrolments::StillGood(std::string fingerprint) {
  co_return co_await store_.Read(
      [fingerprint = std::move(fingerprint),
       now = clock_.Now()](Transaction& tx) -> Status {
        ASSAY_ASSIGN_OR_RETURN(const auto kept,
                               tx.enrolments.GetCertificate(fingerprint));
        return StillCounts(kept, now);
      });
}

rpc::Async<void> RevokeCertificates(storage::Store& store, const Clock& clock,
                                    std::string worker, std::string actor) {
  co_return co_await store.Write(
      [worker = std::move(worker), actor = std::move(actor),
       now = clock.Now()](Transaction& tx) -> Status {
        ASSAY_ASSIGN_OR_RETURN(const std::int64_t revoked,
                               tx.enrolments.Revoke(worker, now));
        if (revoked == 0)
          return NotFound("worker ", worker, " has no certificate to revoke");
        return tx.audit.Append({.time = now,
                                .actor = actor,
                                .action = "worker.revoke",
                                .subject = "workers/" + worker});
      });
}

}  // namespace assay::workers
