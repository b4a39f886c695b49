#ifndef ASSAY_SERVICES_WORKERS_CERTIFICATES_H_
#define ASSAY_SERVICES_WORKERS_CERTIFICATES_H_

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/clock.h"
#include "proto/base/error.h"

namespace assay::workers {

// A certificate, of a worker or of who issues theirs.
struct Certificate {
  std::string pem;
  // SHA-256 of its bytes, 64 hex digits.
  std::string fingerprint;
  // Its common name: the worker's.
  std::string name;
  Clock::TimePoint begin;
  Clock::TimePoint expiry;
};

// Takes one certificate in PEM apart, which comes from a network: at most 16
// KiB, read by OpenSSL. kInvalidArgument: it is none.
Expected<Certificate> ReadCertificate(std::string_view pem);

// Whether one of `authorities` (PEM) issued `certificate` for a client, and it
// is in force at `now`. kUnauthenticated, in one line with what to do.
Status CheckIssued(const Certificate& certificate,
                   const std::vector<std::string>& authorities,
                   Clock::TimePoint now);

// Issues certificates to workers. Its key is made at the first start, is kept
// in a file of mode 0600, and never leaves it.
//
// Threads: one at a time.
class CertificateAuthority {
 public:
  // Makes `file` (key and certificate, PEM) when it is absent.
  // kDataLoss: it holds something else.
  static Expected<CertificateAuthority> Open(const std::filesystem::path& file,
                                             Clock::TimePoint now);
  ~CertificateAuthority();
  CertificateAuthority(CertificateAuthority&&) noexcept;

  const Certificate& certificate() const;

  // A client's certificate for the key of `request` (PKCS #10, PEM, at most
  // 16 KiB, P-256, signed by itself), in force for `life` from a minute before
  // `now`. What the request says beside the key does not count.
  Expected<Certificate> Issue(std::string_view request, const std::string& name,
                              Clock::TimePoint now,
                              std::chrono::seconds life) const;

 private:
  struct Parts;
  explicit CertificateAuthority(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace assay::workers

#endif  // ASSAY_SERVICES_WORKERS_CERTIFICATES_H_
