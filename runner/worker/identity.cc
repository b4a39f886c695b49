#include "runner/worker/identity.h"

#include <fcntl.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <utility>

#include "assay/v1/worker_service.grpc.pb.h"
#include "proto/base/pem.h"
#include "proto/base/tls_finding.h"
#include "runner/worker/lease_connection.h"
#include "sandbox/cell/unique_fd.h"

namespace assay::worker {
namespace {

constexpr std::chrono::seconds kEnrolTimeout{20};
constexpr const char* kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";

}  // namespace

Expected<KeyRequest> MakeKeyRequest() {
  const pem::Owned<EVP_PKEY> key(EVP_EC_gen(SN_X9_62_prime256v1));
  const pem::Owned<X509_REQ> request(X509_REQ_new());
  const bool made = key != nullptr &&
                    X509_REQ_set_pubkey(request.get(), key.get()) == 1 &&
                    X509_REQ_sign(request.get(), key.get(), EVP_sha256()) > 0;
  if (!made) return Internal("OpenSSL makes no key: ", pem::WhyNot());
  return KeyRequest{.key_pem = pem::TextOf(key.get()),
                    .request_pem = pem::TextOf(request.get())};
}

Expected<Identity> JoinIdentity(std::string key_pem,
                                std::string certificate_pem) {
  const pem::Owned<EVP_PKEY> key = pem::ReadKey(key_pem);
  const pem::Owned<X509> x509 = pem::ReadCertificate(certificate_pem);
  const bool fit = key != nullptr && x509 != nullptr &&
                   X509_check_private_key(x509.get(), key.get()) == 1;
  ERR_clear_error();
  if (!fit)
    return DataLoss("a certificate and a key that do not belong together");
  Identity identity{.key_pem = std::move(key_pem),
                    .certificate_pem = std::move(certificate_pem)};
  identity.name = pem::NameOf(x509.get());
  identity.begin = pem::TimeOf(X509_get0_notBefore(x509.get()));
  identity.expiry = pem::TimeOf(X509_get0_notAfter(x509.get()));
  return identity;
}

Expected<std::optional<Identity>> LoadIdentity(
    const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::nullopt;
  std::string text{std::istreambuf_iterator<char>(in), {}};
  // OpenSSL finds in it what it looks for.
  auto identity = JoinIdentity(text, text);
  if (!identity)
    return DataLoss("the file ", file.string(),
                    " holds no key with its certificate: remove it and enrol "
                    "this worker anew with --enrol");
  return *std::move(identity);
}

Status SaveIdentity(const std::filesystem::path& file,
                    const Identity& identity) {
  const std::string text = identity.key_pem == identity.certificate_pem
                               ? identity.key_pem
                               : identity.key_pem + identity.certificate_pem;
  const std::string draft = file.string() + ".new";
  {
    const sandbox::UniqueFd fd(
        open(draft.c_str(),
             O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) return SystemError("create " + draft, errno);
    if (write(fd.get(), text.data(), text.size()) !=
            static_cast<ssize_t>(text.size()) ||
        fsync(fd.get()) != 0)
      return SystemError("write " + draft, errno);
  }
  if (rename(draft.c_str(), file.c_str()) != 0)
    return SystemError("rename " + draft, errno);
  return {};
}

Expected<std::string> ReadAuthorities(const std::string& file) {
  std::ifstream in(file.empty() ? kSystemAuthorities : file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (text.find("-----BEGIN") == std::string::npos)
    return InvalidArgument(file.empty()
                               ? std::string(kSystemAuthorities) +
                                     " holds no "
                                     "certificates: say whom to trust with --ca"
                               : "the file " + file +
                                     " of --ca holds no certificates "
                                     "in PEM");
  return text;
}

namespace {

grpc::Status AskFor(const std::string& address, const std::string& authorities,
                    const v1::EnrolWorkerRequest& request,
                    v1::EnrolWorkerResponse& response) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  const auto channel = grpc::CreateCustomChannel(
      address, grpc::SslCredentials({.pem_root_certs = authorities}),
      arguments);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kEnrolTimeout);
  return v1::WorkerService::NewStub(channel)->EnrolWorker(&context, request,
                                                          &response);
}

}  // namespace

Expected<Identity> Enrol(const std::string& coordinators,
                         const std::string& ca_file, const std::string& token) {
  ASSAY_ASSIGN_OR_RETURN(const std::string authorities,
                         ReadAuthorities(ca_file));
  ASSAY_ASSIGN_OR_RETURN(KeyRequest made, MakeKeyRequest());
  v1::EnrolWorkerRequest request;
  request.set_token(token);
  request.set_certificate_request(made.request_pem);
  v1::EnrolWorkerResponse response;
  Error refusal;
  for (const std::string& address : AddressesOf(coordinators)) {
    const grpc::Status status = AskFor(address, authorities, request, response);
    if (status.ok())
      return JoinIdentity(std::move(made.key_pem),
                          std::move(*response.mutable_certificate()));
    refusal =
        Error{static_cast<Code>(status.error_code()), status.error_message()}
            .Within("cannot enrol at " + address);
    // Any of them can; a token is as good at one as at another.
    if (status.error_code() != grpc::StatusCode::UNAVAILABLE) break;
    const TlsFinding found = LookAtTls(address, ca_file);
    if (!found.problem.empty())
      refusal = Error{Code::kUnavailable, found.problem};
  }
  return std::unexpected(std::move(refusal));
}

}  // namespace assay::worker
