#include "services/coordinator/worker_admission.h"

#include <string>
#include <utility>

namespace assay::coordinator {
namespace {

rpc::Async<dispatch::WorkerCertificates::Renewed> Renew(
    workers::Enrolments* enrolments, std::string fingerprint,
    std::string request) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      workers::Certificate issued,
      co_await enrolments->Renew(std::move(fingerprint), std::move(request)));
  co_return dispatch::WorkerCertificates::Renewed{
      .pem = std::move(issued.pem),
      .proof = {.name = issued.name, .fingerprint = issued.fingerprint}};
}

}  // namespace

rpc::Async<dispatch::WorkerProof> Admit(identity::Identity& identity,
                                        workers::Enrolments* enrolments,
                                        dispatch::AttachHead head) {
  if (!head.certificate.empty() && enrolments != nullptr) {
    ASSAY_CO_ASSIGN_OR_RETURN(
        const workers::Certificate certificate,
        co_await enrolments->Judge(std::move(head.certificate)));
    co_return dispatch::WorkerProof{.name = certificate.name,
                                    .fingerprint = certificate.fingerprint};
  }
  if (head.tls)
    co_return Fail(Code::kUnauthenticated,
                   "over TLS, workers show a certificate: enrol this one with "
                   "`assay worker enrol NAME` and assay-runner --enrol TOKEN");
  ASSAY_CO_ASSIGN_OR_RETURN(
      const rpc::Caller caller,
      co_await identity.Authenticate(std::move(head.authorization)));
  if (caller.role != v1::ROLE_WORKER)
    co_return PermissionDenied("the token has ", v1::Role_Name(caller.role),
                               ", attaching needs a worker's token "
                               "(ROLE_WORKER)");
  co_return dispatch::WorkerProof();
}

dispatch::WorkerCertificates CertificatesOf(workers::Enrolments* enrolments) {
  if (enrolments == nullptr) return {};
  return {.check =
              [enrolments](std::string fingerprint) {
                return enrolments->StillGood(std::move(fingerprint));
              },
          .renew =
              [enrolments](std::string fingerprint, std::string request) {
                return Renew(enrolments, std::move(fingerprint),
                             std::move(request));
              }};
}

}  // namespace assay::coordinator
