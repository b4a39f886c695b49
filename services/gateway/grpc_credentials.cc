#include "services/gateway/grpc_credentials.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include <string>

namespace assay::gateway {
namespace {

// gRPC's C++ has no credentials whose certificate is asked for; its core has.
class AskingCredentials final : public grpc::ServerCredentials {
 public:
  explicit AskingCredentials(const TlsIdentity& identity)
      : identity_(identity),
        credentials_(grpc_ssl_server_credentials_create_with_options(
            grpc_ssl_server_credentials_create_options_using_config_fetcher(
                GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_BUT_DONT_VERIFY, Fetch,
                this))) {}
  ~AskingCredentials() override {
    grpc_server_credentials_release(credentials_);
  }

  // Tokens are looked at above gRPC.
  void SetAuthMetadataProcessor(
      const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address,
                      grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  // Called for each handshake, one at a time.
  static grpc_ssl_certificate_config_reload_status Fetch(
      void* self, grpc_ssl_server_certificate_config** config) {
    return static_cast<AskingCredentials*>(self)->Answer(config);
  }
  grpc_ssl_certificate_config_reload_status Answer(
      grpc_ssl_server_certificate_config** config) {
    auto now = identity_.current();
    if (now == given_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const grpc_ssl_pem_key_cert_pair pair{
        .private_key = now->key_pem.c_str(),
        .cert_chain = now->certificate_pem.c_str()};
    // gRPC insists on authorities of clients, which nothing is held against.
    *config = grpc_ssl_server_certificate_config_create(
        now->certificate_pem.c_str(), &pair, 1);
    given_ = std::move(now);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  const TlsIdentity& identity_;
  std::shared_ptr<const TlsMaterial> given_;
  grpc_server_credentials* const credentials_;
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> TlsCredentials(
    const TlsIdentity& identity) {
  return std::make_shared<AskingCredentials>(identity);
}

}  // namespace assay::gateway
