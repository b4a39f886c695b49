#include "proto/base/tls_finding.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string_view>

namespace assay {
namespace {

using Kind = TlsFinding::Kind;

using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct Freer {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};

// A write to somebody who hung up raises a signal, which is held back and
// taken away.
class NoPipeSignal {
 public:
  NoPipeSignal() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~NoPipeSignal() {
    const timespec at_once{};
    if (sigismember(&before_, SIGPIPE) == 0)
      while (sigtimedwait(&pipe_, nullptr, &at_once) == SIGPIPE) {
      }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoPipeSignal(const NoPipeSignal&) = delete;
  NoPipeSignal& operator=(const NoPipeSignal&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t before_{};
};

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

TlsFinding Untrusted(const std::string& address, long verify_result) {
  const std::string whose = "the certificate of " + address;
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
      return {Kind::kBad, whose + " is not trusted: " +
                              X509_verify_cert_error_string(verify_result)};
  }
}

TlsFinding Broken(const std::string& address, const std::string& said) {
  // Whoever speaks no TLS answers with something else, or hangs up.
  for (const char* other :
       {"wrong version number", "packet length too long", "unexpected eof",
        "record layer failure", "bad record type"})
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
  return {Kind::kBad, "no TLS with " + address + ": " + said};
}

// The reason of what failed last; somebody who hangs up gives none.
std::string LastReason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason == nullptr ? "unexpected eof" : reason;
}

// "host" or "::1" of "host:port" or "[::1]:port".
std::string HostOf(const std::string& address) {
  std::string host = address.substr(0, address.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  return host;
}

bool IsIp(const std::string& host) {
  in6_addr bytes{};
  return inet_pton(AF_INET, host.c_str(), &bytes) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &bytes) == 1;
}

// Asks for `host` by name, and speaks of HTTP/2, on which gRPC insists.
void Expect(SSL* ssl, const std::string& host) {
  constexpr std::array<unsigned char, 12> kProtocols{
      2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  SSL_set_alpn_protos(ssl, kProtocols.data(), kProtocols.size());
  if (IsIp(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str());
    return;
  }
  SSL_set1_host(ssl, host.c_str());
  SSL_set_tlsext_host_name(ssl, host.c_str());
}

// Whether the connection can go on before `end`.
bool Wait(SSL* ssl, int error, steady_clock::time_point end) {
  const auto left =
      std::chrono::duration_cast<milliseconds>(end - steady_clock::now());
  const short events = error == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
  pollfd socket{SSL_get_fd(ssl), events, 0};
  return left.count() > 0 &&
         ::poll(&socket, 1, static_cast<int>(left.count())) > 0;
}

}  // namespace

TlsFinding LookAtTls(const std::string& address, const std::string& ca_file,
                     int seconds) {
  const NoPipeSignal no_signal;
  const auto end = steady_clock::now() + std::chrono::seconds(seconds);
  ERR_clear_error();
  const std::unique_ptr<SSL_CTX, Freer> context(
      SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) return {};
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  if (ca_file.empty())
    SSL_CTX_set_default_verify_paths(context.get());
  else if (SSL_CTX_load_verify_file(context.get(), ca_file.c_str()) != 1)
    return {Kind::kBad,
            "the file " + ca_file + " of --ca holds no certificates in PEM"};
  std::unique_ptr<BIO, Freer> wire(BIO_new_connect(address.c_str()));
  const std::unique_ptr<SSL, Freer> ssl(SSL_new(context.get()));
  if (wire == nullptr || ssl == nullptr) return {};
  BIO_set_nbio(wire.get(), 1);
  if (BIO_do_connect_retry(wire.get(), seconds, 0) != 1) return {};
  ERR_clear_error();
  Expect(ssl.get(), HostOf(address));
  BIO* const given = wire.release();
  SSL_set_bio(ssl.get(), given, given);
  for (;;) {
    errno = 0;
    const int done = SSL_connect(ssl.get());
    const int why = errno;
    if (done == 1) return {Kind::kGood, ""};
    const int error = SSL_get_error(ssl.get(), done);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
      if (Wait(ssl.get(), error, end)) continue;
      return {};
    }
    // It went away meanwhile, which says nothing about what it speaks.
    if (error == SSL_ERROR_SYSCALL && why == ECONNRESET) return {};
    const long verified = SSL_get_verify_result(ssl.get());
    return verified == X509_V_OK ? Broken(address, LastReason())
                                 : Untrusted(address, verified);
  }
}

}  // namespace assay
