#ifndef ASSAY_SERVICES_WORKERS_ENROLMENTS_H_
#define ASSAY_SERVICES_WORKERS_ENROLMENTS_H_

#include <chrono>
#include <memory>
#include <string>

#include "proto/base/clock.h"
#include "services/rpc/method_registry.h"
#include "services/storage/store.h"
#include "services/workers/certificates.h"

namespace assay::workers {

// Lets machines become workers: a token that is good once, then a certificate,
// which is renewed with itself and can be revoked.
//
// A certificate counts when an authority of one of this installation's
// coordinators issued it, it is in force, and the store has it and does not
// call it revoked: whoever steals an authority's key can make certificates,
// and none of them is in the store.
//
// Ownership: borrows store and clock. Threads: confined to the coordinator's
// strand.
class Enrolments {
 public:
  Enrolments(storage::Store& store, const Clock& clock,
             CertificateAuthority authority,
             std::chrono::seconds certificate_life);

  // Makes this coordinator's authority known to the others. At each start.
  rpc::Async<void> Announce();

  struct Permission {
    std::string token;
    Clock::TimePoint expiry;
  };
  // A token to enrol `worker` with, once, within `valid`.
  rpc::Async<Permission> Permit(std::string worker, std::chrono::seconds valid,
                                std::string actor);
  // A certificate for whoever has the token. kUnauthenticated: it is not good.
  rpc::Async<Certificate> Enrol(std::string token, std::string request);
  // Another one for whoever showed that of `fingerprint`; fails as StillGood
  // when that has been revoked meanwhile, or has expired.
  rpc::Async<Certificate> Renew(std::string fingerprint, std::string request);

  // Whose certificate this is. kUnauthenticated, saying what to do:
  // it does not count (any more).
  rpc::Async<Certificate> Judge(std::string pem);
  // The same of one that was judged, for as long as it is used.
  rpc::Async<void> StillGood(std::string fingerprint);

 private:
  storage::Store& store_;
  const Clock& clock_;
  // Storage threads use it, too.
  const std::shared_ptr<const CertificateAuthority> authority_;
  const std::chrono::seconds life_;
};

// Ends the worker's certificates; also at a coordinator that speaks no TLS and
// so issues none. kNotFound: it has none.
rpc::Async<void> RevokeCertificates(storage::Store& store, const Clock& clock,
                                    std::string worker, std::string actor);

}  // namespace assay::workers

#endif  // ASSAY_SERVICES_WORKERS_ENROLMENTS_H_
