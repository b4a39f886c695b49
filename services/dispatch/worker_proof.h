#ifndef ASSAY_SERVICES_DISPATCH_WORKER_PROOF_H_
#define ASSAY_SERVICES_DISPATCH_WORKER_PROOF_H_

#include <functional>
#include <string>

#include "services/rpc/method_registry.h"

namespace assay::dispatch {

// Who is behind a stream, as far as that was proven.
struct WorkerProof {
  // The name in its certificate; empty: it has shown a worker's token, which
  // says no name.
  std::string name;
  // Of the certificate.
  std::string fingerprint;

  bool certified() const { return !name.empty(); }
};

// What is asked about certificates while their workers are attached.
struct WorkerCertificates {
  // Whether one still counts; any error but kUnavailable ends its stream.
  std::function<rpc::Async<void>(std::string fingerprint)> check;
  struct Renewed {
    std::string pem;
    WorkerProof proof;
  };
  std::function<rpc::Async<Renewed>(std::string fingerprint,
                                    std::string request)>
      renew;
};

}  // namespace assay::dispatch

#endif  // ASSAY_SERVICES_DISPATCH_WORKER_PROOF_H_
