#ifndef ASSAY_PROTO_BASE_PEM_H_
#define ASSAY_PROTO_BASE_PEM_H_

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

#include "proto/base/clock.h"

// Certificates and keys as text, over OpenSSL. Nothing here asks for a
// password: what has one cannot be read.
namespace assay::pem {

struct Freer {
  void operator()(X509* it) const { X509_free(it); }
  void operator()(X509_REQ* it) const { X509_REQ_free(it); }
  void operator()(EVP_PKEY* it) const { EVP_PKEY_free(it); }
};
template <class T>
using Owned = std::unique_ptr<T, Freer>;

// The first of its kind in `text`; null where there is none, which WhyNot
// explains.
Owned<X509> ReadCertificate(std::string_view text);
Owned<X509_REQ> ReadRequest(std::string_view text);
Owned<EVP_PKEY> ReadKey(std::string_view text);

// Empty where OpenSSL cannot say it.
std::string TextOf(X509* certificate);
std::string TextOf(X509_REQ* request);
std::string TextOf(EVP_PKEY* key);

// The common name of whom the certificate is for.
std::string NameOf(X509* certificate);
Clock::TimePoint TimeOf(const ASN1_TIME* time);

// The newest of OpenSSL's reasons, without its numbers; forgets them all.
std::string WhyNot();

}  // namespace assay::pem

#endif  // ASSAY_PROTO_BASE_PEM_H_
