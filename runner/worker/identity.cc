#include "runner/worker/identity.h"

#include <fcntl.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <fstream>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>

#include "assay/v1/worker_service.grpc.pb.h"
#include "proto/base/tls_finding.h"
#include "runner/worker/lease_connection.h"
#include "sandbox/cell/unique_fd.h"

namespace assay::worker {
namespace {

constexpr std::chrono::seconds kEnrolTimeout{20};
constexpr const char* kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";

struct Freer {
  void operator()(BIO* it) const { BIO_free(it); }
  void operator()(X509* it) const { X509_free(it); }
  void operator()(X509_REQ* it) const { X509_REQ_free(it); }
  void operator()(EVP_PKEY* it) const { EVP_PKEY_free(it); }
};
template <class T>
using Owned = std::unique_ptr<T, Freer>;

Owned<BIO> Reader(std::string_view text) {
  return Owned<BIO>(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string TextOf(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

int NoPassword(char*, int, int, void*) { return -1; }

Clock::TimePoint TimeOf(const ASN1_TIME* time) {
  std::tm when{};
  if (ASN1_TIME_to_tm(time, &when) != 1) return {};
  return FromMicros(std::int64_t{timegm(&when)} * 1'000'000);
}

}  // namespace

Expected<KeyRequest> MakeKeyRequest() {
  const Owned<EVP_PKEY> key(EVP_EC_gen(SN_X9_62_prime256v1));
  const Owned<X509_REQ> request(X509_REQ_new());
  const Owned<BIO> key_pem(BIO_new(BIO_s_mem()));
  const Owned<BIO> request_pem(BIO_new(BIO_s_mem()));
  const bool made =
      key != nullptr && X509_REQ_set_pubkey(request.get(), key.get()) == 1 &&
      X509_REQ_sign(request.get(), key.get(), EVP_sha256()) > 0 &&
      PEM_write_bio_PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0,
                               nullptr, nullptr) == 1 &&
      PEM_write_bio_X509_REQ(request_pem.get(), request.get()) == 1;
  if (!made) return Internal("OpenSSL makes no key");
  return KeyRequest{.key_pem = TextOf(key_pem.get()),
                    .request_pem = TextOf(request_pem.get())};
}

Expected<Identity> JoinIdentity(std::string key_pem,
                                std::string certificate_pem) {
  const Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(
      Reader(key_pem).get(), nullptr, NoPassword, nullptr));
  const Owned<X509> x509(PEM_read_bio_X509(Reader(certificate_pem).get(),
                                           nullptr, NoPassword, nullptr));
  const bool fit = key != nullptr && x509 != nullptr &&
                   X509_check_private_key(x509.get(), key.get()) == 1;
  ERR_clear_error();
  if (!fit)
    return DataLoss("a certificate and a key that do not belong together");
  Identity identity{.key_pem = std::move(key_pem),
                    .certificate_pem = std::move(certificate_pem)};
  std::array<char, 256> name{};
  if (X509_NAME_get_text_by_NID(X509_get_subject_name(x509.get()),
                                NID_commonName, name.data(), name.size()) > 0)
    identity.name = name.data();
  identity.begin = TimeOf(X509_get0_notBefore(x509.get()));
  identity.expiry = TimeOf(X509_get0_notAfter(x509.get()));
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
