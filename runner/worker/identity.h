#ifndef ASSAY_RUNNER_WORKER_IDENTITY_H_
#define ASSAY_RUNNER_WORKER_IDENTITY_H_

#include <filesystem>
#include <optional>
#include <string>

#include "proto/base/clock.h"
#include "proto/base/error.h"

namespace assay::worker {

// Who this worker is to coordinators over TLS.
struct Identity {
  std::string key_pem;
  std::string certificate_pem;
  // The certificate's common name.
  std::string name;
  Clock::TimePoint begin;
  Clock::TimePoint expiry;

  // When two thirds of the certificate's life are over.
  Clock::TimePoint renew_time() const {
    return begin + (expiry - begin) * 2 / 3;
  }
};

// A new key, and the request (PKCS #10) for a certificate of it.
struct KeyRequest {
  std::string key_pem;
  std::string request_pem;
};
Expected<KeyRequest> MakeKeyRequest();

// kDataLoss: the certificate is none, or not of that key.
Expected<Identity> JoinIdentity(std::string key_pem,
                                std::string certificate_pem);

// Absent when there is no such file. kDataLoss: it holds something else.
Expected<std::optional<Identity>> LoadIdentity(
    const std::filesystem::path& file);
// Mode 0600, all or nothing, synced.
Status SaveIdentity(const std::filesystem::path& file,
                    const Identity& identity);

// Gets a certificate for a new key from the first of the coordinators that
// answers (see AddressesOf), which is trusted by `ca_file`, by a token that is
// good once.
Expected<Identity> Enrol(const std::string& coordinators,
                         const std::string& ca_file, const std::string& token);

// The certificates (PEM) that a worker trusts coordinators by: those of `file`,
// or the system's where it is empty.
Expected<std::string> ReadAuthorities(const std::string& file);

}  // namespace assay::worker

#endif  // ASSAY_RUNNER_WORKER_IDENTITY_H_
