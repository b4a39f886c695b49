#include "proto/base/pem.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>

namespace assay::pem {
namespace {

Owned<EVP_PKEY> NewKey() {
  return Owned<EVP_PKEY>(EVP_EC_gen(SN_X9_62_prime256v1));
}

Owned<X509> CertificateOf(const std::string& name, EVP_PKEY* key) {
  Owned<X509> certificate(X509_new());
  X509_set_pubkey(certificate.get(), key);
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), 1'000);
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), 2'000);
  X509_NAME_add_entry_by_NID(
      X509_get_subject_name(certificate.get()), NID_commonName, MBSTRING_UTF8,
      reinterpret_cast<const unsigned char*>(name.data()),
      static_cast<int>(name.size()), -1, 0);
  EXPECT_GT(X509_sign(certificate.get(), key, EVP_sha256()), 0);
  return certificate;
}

TEST(PemTest, WhatIsWrittenIsReadAgain) {
  const Owned<EVP_PKEY> key = NewKey();
  const std::string text =
      TextOf(key.get()) + TextOf(CertificateOf("box-1", key.get()).get());
  const Owned<EVP_PKEY> key_again = ReadKey(text);
  const Owned<X509> certificate = ReadCertificate(text);
  ASSERT_TRUE(key_again && certificate);
  EXPECT_EQ(X509_check_private_key(certificate.get(), key_again.get()), 1);
  EXPECT_EQ(NameOf(certificate.get()), "box-1");
  EXPECT_EQ(TimeOf(X509_get0_notAfter(certificate.get())),
            FromMicros(2'000'000'000));

  const Owned<X509_REQ> request(X509_REQ_new());
  X509_REQ_set_pubkey(request.get(), key.get());
  ASSERT_GT(X509_REQ_sign(request.get(), key.get(), EVP_sha256()), 0);
  EXPECT_TRUE(ReadRequest(TextOf(request.get())));
}

TEST(PemTest, SaysWhyThereIsNone) {
  EXPECT_EQ(ReadCertificate("junk"), nullptr);
  EXPECT_EQ(WhyNot(), "no start line");
  EXPECT_EQ(WhyNot(), "unknown");
  EXPECT_EQ(ReadRequest(""), nullptr);
  EXPECT_EQ(ReadKey(TextOf(CertificateOf("x", NewKey().get()).get())), nullptr);
}

// OpenSSL would ask for it on the terminal.
TEST(PemTest, AKeyWithAPasswordIsNotAskedFor) {
  const Owned<EVP_PKEY> key = NewKey();
  BIO* bio = BIO_new(BIO_s_mem());
  char password[] = "secret";
  ASSERT_EQ(PEM_write_bio_PrivateKey(bio, key.get(), EVP_aes_128_cbc(), nullptr,
                                     0, nullptr, password),
            1);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  const std::string text(bytes, static_cast<std::size_t>(size));
  BIO_free(bio);
  EXPECT_EQ(ReadKey(text), nullptr);
}

}  // namespace
}  // namespace assay::pem
