#ifndef ASSAY_SERVICES_COORDINATOR_WORKER_ADMISSION_H_
#define ASSAY_SERVICES_COORDINATOR_WORKER_ADMISSION_H_

#include "services/dispatch/dispatcher.h"
#include "services/dispatch/lease_service.h"
#include "services/identity/identity.h"
#include "services/workers/enrolments.h"

namespace assay::coordinator {

// Who a worker is that attaches: over TLS it is who its certificate says; on
// this machine it has read the token's file. `enrolments` may be null: no TLS.
//
// kUnauthenticated, kPermissionDenied: with what to do.
rpc::Async<dispatch::WorkerProof> Admit(identity::Identity& identity,
                                        workers::Enrolments* enrolments,
                                        dispatch::AttachHead head);

// How the dispatcher checks and renews certificates; empty without enrolments,
// which are borrowed.
dispatch::WorkerCertificates CertificatesOf(workers::Enrolments* enrolments);

}  // namespace assay::coordinator

#endif  // ASSAY_SERVICES_COORDINATOR_WORKER_ADMISSION_H_
