#include "proto/base/pem.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <cstdint>
#include <ctime>

namespace assay::pem {
namespace {

struct BioFreer {
  void operator()(BIO* it) const { BIO_free(it); }
};
using OwnedBio = std::unique_ptr<BIO, BioFreer>;

// OpenSSL's own asks on the terminal, at which nobody looks.
int NoPassword(char*, int, int, void*) { return -1; }

template <class T>
Owned<T> Read(std::string_view text,
              T* (*read)(BIO*, T**, pem_password_cb*, void*)) {
  ERR_clear_error();
  const OwnedBio bio(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  return Owned<T>(read(bio.get(), nullptr, NoPassword, nullptr));
}

template <class Write>
std::string Written(Write write) {
  const OwnedBio bio(BIO_new(BIO_s_mem()));
  if (write(bio.get()) != 1) return "";
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

}  // namespace

Owned<X509> ReadCertificate(std::string_view text) {
  return Read<X509>(text, PEM_read_bio_X509);
}

Owned<X509_REQ> ReadRequest(std::string_view text) {
  return Read<X509_REQ>(text, PEM_read_bio_X509_REQ);
}

Owned<EVP_PKEY> ReadKey(std::string_view text) {
  return Read<EVP_PKEY>(text, PEM_read_bio_PrivateKey);
}

std::string TextOf(X509* certificate) {
  return Written(
      [&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

std::string TextOf(X509_REQ* request) {
  return Written(
      [&](BIO* bio) { return PEM_write_bio_X509_REQ(bio, request); });
}

std::string TextOf(EVP_PKEY* key) {
  return Written([&](BIO* bio) {
    return PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr,
                                    nullptr);
  });
}

std::string NameOf(X509* certificate) {
  std::array<char, 256> name{};
  const int size =
      X509_NAME_get_text_by_NID(X509_get_subject_name(certificate),
                                NID_commonName, name.data(), name.size());
  return size > 0 ? name.data() : "";
}

Clock::TimePoint TimeOf(const ASN1_TIME* time) {
  std::tm when{};
  if (ASN1_TIME_to_tm(time, &when) != 1) return {};
  return FromMicros(std::int64_t{timegm(&when)} * 1'000'000);
}

std::string WhyNot() {
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(error);
  return reason == nullptr ? "unknown" : reason;
}

}  // namespace assay::pem
