#include "services/workers/certificates.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <fstream>
#include <iterator>
#include <utility>

#include "proto/base/digest.h"
#include "proto/base/id.h"
#include "proto/base/pem.h"

namespace assay::workers {
namespace {

// What comes from a network; a request of ours has 400 bytes.
constexpr std::size_t kMaxPem = 16 << 10;
constexpr std::chrono::hours kAuthorityLife{20 * 365 * 24};
// Clocks differ, and a certificate is used at once.
constexpr std::chrono::minutes kHeadStart{1};

struct Freer : pem::Freer {
  using pem::Freer::operator();
  void operator()(X509_STORE* it) const { X509_STORE_free(it); }
  void operator()(X509_STORE_CTX* it) const { X509_STORE_CTX_free(it); }
  void operator()(X509_EXTENSION* it) const { X509_EXTENSION_free(it); }
};
template <class T>
using Owned = std::unique_ptr<T, Freer>;

std::time_t ToSeconds(Clock::TimePoint time) {
  return static_cast<std::time_t>(ToMicros(time) / 1'000'000);
}

Certificate Describe(X509* x509) {
  Certificate certificate;
  certificate.pem = pem::TextOf(x509);
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(x509, &bytes);
  if (size > 0)
    certificate.fingerprint = Sha256Hex(
        {reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size)});
  OPENSSL_free(bytes);
  certificate.name = pem::NameOf(x509);
  certificate.begin = pem::TimeOf(X509_get0_notBefore(x509));
  certificate.expiry = pem::TimeOf(X509_get0_notAfter(x509));
  return certificate;
}

bool IsP256(EVP_PKEY* key) {
  std::array<char, 64> group{};
  std::size_t size = 0;
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
         EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1 &&
         std::string_view(group.data(), size) == SN_X9_62_prime256v1;
}

bool AddExtension(X509* x509, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, x509, x509, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  return extension != nullptr && X509_add_ext(x509, extension.get(), -1) == 1;
}

// What every certificate of ours has; to be signed yet.
pem::Owned<X509> Blank(const std::string& name, EVP_PKEY* key,
                       Clock::TimePoint begin, Clock::TimePoint expiry) {
  pem::Owned<X509> x509(X509_new());
  std::array<unsigned char, 16> serial{};
  RAND_bytes(serial.data(), serial.size());
  serial[0] = (serial[0] & 0x3FU) | 0x40U;  // positive, and always as long
  BIGNUM* number = BN_bin2bn(serial.data(), serial.size(), nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509.get()));
  BN_free(number);
  X509_set_version(x509.get(), X509_VERSION_3);
  ASN1_TIME_set(X509_getm_notBefore(x509.get()), ToSeconds(begin));
  ASN1_TIME_set(X509_getm_notAfter(x509.get()), ToSeconds(expiry));
  X509_set_pubkey(x509.get(), key);
  X509_NAME_add_entry_by_NID(
      X509_get_subject_name(x509.get()), NID_commonName, MBSTRING_UTF8,
      reinterpret_cast<const unsigned char*>(name.data()),
      static_cast<int>(name.size()), -1, 0);
  return x509;
}

// Synced, for its owner only, and never in the place of another.
Status WritePrivate(const std::filesystem::path& file,
                    const std::string& text) {
  const std::filesystem::path draft = file.string() + ".new";
  const int fd =
      open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
           0600);
  if (fd < 0) return SystemError("create " + draft.string(), errno);
  const bool written = write(fd, text.data(), text.size()) ==
                           static_cast<ssize_t>(text.size()) &&
                       fsync(fd) == 0;
  const int error = errno;
  close(fd);
  if (!written) return SystemError("write " + draft.string(), error);
  if (rename(draft.c_str(), file.c_str()) != 0)
    return SystemError("rename " + draft.string(), errno);
  return {};
}

}  // namespace

struct CertificateAuthority::Parts {
  pem::Owned<EVP_PKEY> key;
  pem::Owned<X509> x509;
  Certificate certificate;
};

namespace {

Expected<std::string> MakeAuthority(Clock::TimePoint now) {
  const pem::Owned<EVP_PKEY> key(EVP_EC_gen(SN_X9_62_prime256v1));
  if (key == nullptr) return Internal("no key could be made: ", pem::WhyNot());
  const pem::Owned<X509> x509 =
      Blank("Assay workers " + RandomToken(10), key.get(), now - kHeadStart,
            now + kAuthorityLife);
  X509_set_issuer_name(x509.get(), X509_get_subject_name(x509.get()));
  const bool made =
      AddExtension(x509.get(), NID_basic_constraints,
                   "critical,CA:TRUE,pathlen:0") &&
      AddExtension(x509.get(), NID_key_usage, "critical,keyCertSign") &&
      AddExtension(x509.get(), NID_subject_key_identifier, "hash") &&
      X509_sign(x509.get(), key.get(), EVP_sha256()) > 0;
  if (!made) return Internal("no authority could be made: ", pem::WhyNot());
  return pem::TextOf(key.get()) + pem::TextOf(x509.get());
}

// The key that asks for a certificate, after it has shown that it is there.
Expected<pem::Owned<EVP_PKEY>> KeyOf(std::string_view request) {
  if (request.size() > kMaxPem)
    return InvalidArgument("the certificate request has ", request.size(),
                           " bytes, expected at most ", kMaxPem);
  const pem::Owned<X509_REQ> parsed = pem::ReadRequest(request);
  if (parsed == nullptr)
    return InvalidArgument("expected a certificate request in PEM: ",
                           pem::WhyNot());
  pem::Owned<EVP_PKEY> key(X509_REQ_get_pubkey(parsed.get()));
  if (key == nullptr || !IsP256(key.get()))
    return InvalidArgument(
        "the certificate request is for another kind of key; expected P-256");
  if (X509_REQ_verify(parsed.get(), key.get()) != 1)
    return InvalidArgument(
        "the certificate request is not signed by its own key");
  return key;
}

}  // namespace

Expected<Certificate> ReadCertificate(std::string_view text) {
  if (text.size() > kMaxPem)
    return InvalidArgument("the certificate has ", text.size(),
                           " bytes, expected at most ", kMaxPem);
  const pem::Owned<X509> x509 = pem::ReadCertificate(text);
  if (x509 == nullptr)
    return InvalidArgument("expected a certificate in PEM: ", pem::WhyNot());
  return Describe(x509.get());
}

Status CheckIssued(const Certificate& certificate,
                   const std::vector<std::string>& authorities,
                   Clock::TimePoint now) {
  const pem::Owned<X509> x509 = pem::ReadCertificate(certificate.pem);
  const Owned<X509_STORE> store(X509_STORE_new());
  for (const std::string& text : authorities)
    if (const pem::Owned<X509> authority = pem::ReadCertificate(text))
      X509_STORE_add_cert(store.get(), authority.get());
  const Owned<X509_STORE_CTX> context(X509_STORE_CTX_new());
  if (X509_STORE_CTX_init(context.get(), store.get(), x509.get(), nullptr) != 1)
    return Internal("certificates cannot be checked: ", pem::WhyNot());
  X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_CLIENT);
  X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context.get()),
                             ToSeconds(now));
  if (X509_verify_cert(context.get()) == 1) return {};
  const int error = X509_STORE_CTX_get_error(context.get());
  ERR_clear_error();
  if (error == X509_V_ERR_CERT_HAS_EXPIRED)
    return Fail(Code::kUnauthenticated,
                "this worker's certificate has expired: enrol it anew with "
                "`assay worker enrol ",
                certificate.name, "` and assay-runner --enrol");
  if (error == X509_V_ERR_CERT_NOT_YET_VALID)
    return Fail(Code::kUnauthenticated,
                "this worker's certificate is not in force yet: the server's "
                "clock is behind the one that it was issued by");
  return Fail(Code::kUnauthenticated,
              "this worker's certificate was not issued here: enrol it with "
              "`assay worker enrol NAME` and assay-runner --enrol");
}

Expected<CertificateAuthority> CertificateAuthority::Open(
    const std::filesystem::path& file, Clock::TimePoint now) {
  std::error_code failed;
  if (!std::filesystem::exists(file, failed)) {
    ASSAY_ASSIGN_OR_RETURN(const std::string made, MakeAuthority(now));
    ASSAY_RETURN_IF_ERROR(WritePrivate(file, made));
  }
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  auto parts = std::make_unique<Parts>();
  parts->key = pem::ReadKey(text);
  parts->x509 = pem::ReadCertificate(text);
  if (parts->key == nullptr || parts->x509 == nullptr ||
      X509_check_private_key(parts->x509.get(), parts->key.get()) != 1)
    return DataLoss("the file ", file.string(),
                    " does not hold the key and the certificate that issue "
                    "workers' certificates: put it back from a backup, or "
                    "remove it and enrol every worker anew");
  parts->certificate = Describe(parts->x509.get());
  return CertificateAuthority(std::move(parts));
}

CertificateAuthority::CertificateAuthority(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)) {}
CertificateAuthority::~CertificateAuthority() = default;
CertificateAuthority::CertificateAuthority(CertificateAuthority&&) noexcept =
    default;

const Certificate& CertificateAuthority::certificate() const {
  return parts_->certificate;
}

Expected<Certificate> CertificateAuthority::Issue(
    std::string_view request, const std::string& name, Clock::TimePoint now,
    std::chrono::seconds life) const {
  ASSAY_ASSIGN_OR_RETURN(const pem::Owned<EVP_PKEY> key, KeyOf(request));
  const pem::Owned<X509> x509 =
      Blank(name, key.get(), now - kHeadStart, now + life);
  X509_set_issuer_name(x509.get(), X509_get_subject_name(parts_->x509.get()));
  const bool made =
      AddExtension(x509.get(), NID_basic_constraints, "critical,CA:FALSE") &&
      AddExtension(x509.get(), NID_key_usage, "critical,digitalSignature") &&
      AddExtension(x509.get(), NID_ext_key_usage, "clientAuth") &&
      X509_sign(x509.get(), parts_->key.get(), EVP_sha256()) > 0;
  if (!made) return Internal("no certificate could be made: ", pem::WhyNot());
  return Describe(x509.get());
}

}  // namespace assay::workers
