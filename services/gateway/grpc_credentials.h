#ifndef ASSAY_SERVICES_GATEWAY_GRPC_CREDENTIALS_H_
#define ASSAY_SERVICES_GATEWAY_GRPC_CREDENTIALS_H_

#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "services/gateway/tls_identity.h"

namespace assay::gateway {

// TLS for a gRPC port. Each handshake asks `identity` for its certificate, so
// that a new one needs neither a restart nor a timer.
//
// Clients may show a certificate, and prove then that they have its key.
// Whether it is worth anything is for the service that needs one: a refusal
// within the handshake could not say why.
//
// Ownership: borrows `identity`. Both it and the credentials must outlive the
// server, which keeps neither.
std::shared_ptr<grpc::ServerCredentials> TlsCredentials(
    const TlsIdentity& identity);

}  // namespace assay::gateway

#endif  // ASSAY_SERVICES_GATEWAY_GRPC_CREDENTIALS_H_
