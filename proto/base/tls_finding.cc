#include "proto/base/tls_finding.h"

#include <curl/curl.h>
#include <openssl/x509_vfy.h>

#include <array>
#include <memory>
#include <string_view>

namespace assay {
namespace {

using Kind = TlsFinding::Kind;

struct Freer {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

TlsFinding Untrusted(const std::string& address, long verify_result,
                     const std::string& said) {
  const std::string whose = "the certificate of " + address;
  // libcurl compares names by itself, and has no number for it.
  if (Contains(said, "subject name") || Contains(said, "does not match"))
    verify_result = X509_V_ERR_HOSTNAME_MISMATCH;
  switch (verify_result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return {Kind::kBad,
              whose + " has expired: whoever runs the server has to renew it"};
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return {Kind::kBad, whose +
                              " is not valid yet: compare this machine's "
                              "clock with the server's"};
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return {Kind::kBad,
              whose +
                  " comes from an authority that is not known here: give "
                  "that authority's certificate with --ca FILE"};
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return {Kind::kBad, whose +
                              " is for other names: connect by one of "
                              "those, or have this one added to it"};
    default:
      return {Kind::kBad, whose + " is not trusted: " + said};
  }
}

TlsFinding Broken(const std::string& address, const std::string& said) {
  // Whoever speaks no TLS answers with something else, or hangs up.
  for (const char* other :
       {"wrong version number", "packet length too long", "unexpected eof",
        "SSL_ERROR_SYSCALL", "record layer failure", "bad record type"})
    if (Contains(said, other))
      return {Kind::kPlainText,
              address +
                  " answers, but speaks no TLS: use an address without "
                  "it, or have the server given a certificate"};
  if (Contains(said, "protocol version") ||
      Contains(said, "unsupported protocol"))
    return {Kind::kBad, address +
                            " speaks no version of TLS that is safe: "
                            "expected 1.2 or later"};
  // It went away meanwhile, which says nothing about what it speaks.
  if (Contains(said, "Connection reset")) return {};
  return {Kind::kBad, "no TLS with " + address + ": " + said};
}

}  // namespace

TlsFinding LookAtTls(const std::string& address, const std::string& ca_file,
                     int seconds) {
  const std::unique_ptr<CURL, Freer> curl(curl_easy_init());
  if (curl == nullptr) return {};
  std::array<char, CURL_ERROR_SIZE> said{};
  curl_easy_setopt(curl.get(), CURLOPT_URL, ("https://" + address).c_str());
  curl_easy_setopt(curl.get(), CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, static_cast<long>(seconds));
  curl_easy_setopt(curl.get(), CURLOPT_SSLVERSION,
                   static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, said.data());
  if (!ca_file.empty())
    curl_easy_setopt(curl.get(), CURLOPT_CAINFO, ca_file.c_str());
  const CURLcode result = curl_easy_perform(curl.get());
  switch (result) {
    case CURLE_OK:
      return {Kind::kGood, ""};
    case CURLE_SSL_CACERT_BADFILE:
      return {Kind::kBad,
              "the file " + ca_file + " of --ca holds no certificates in PEM"};
    case CURLE_PEER_FAILED_VERIFICATION: {
      long verify_result = X509_V_OK;
      curl_easy_getinfo(curl.get(), CURLINFO_SSL_VERIFYRESULT, &verify_result);
      return Untrusted(address, verify_result, said.data());
    }
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_RECV_ERROR:
      return Broken(address, said.data());
    default:
      return {};
  }
}

}  // namespace assay
