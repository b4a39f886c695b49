#ifndef ASSAY_SERVICES_GATEWAY_TLS_IDENTITY_H_
#define ASSAY_SERVICES_GATEWAY_TLS_IDENTITY_H_

#include <boost/asio/any_io_executor.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "proto/base/clock.h"
#include "proto/base/error.h"

namespace boost::asio::ssl {
class context;
}

namespace assay::gateway {

struct TlsFiles {
  // PEM: the server's certificate, then those between it and its authority.
  std::filesystem::path certificate;
  // PEM, without a password.
  std::filesystem::path key;

  bool given() const { return !certificate.empty(); }
};

// A certificate and its key, read and found to belong together.
struct TlsMaterial {
  std::string certificate_pem;
  std::string key_pem;
  Clock::TimePoint expiry;
  // For web connections: TLS 1.2 and later, forward secrecy, AEAD only.
  std::shared_ptr<boost::asio::ssl::context> context;
};

// Who the server is to TLS clients. New files are taken without a restart: by
// Reload, and by themselves once Watch was called, which looks at the folders
// by inotify. Files that do not fit together change nothing and are logged, so
// that the two may be replaced one after the other.
//
// Threads: confined to `strand`, but for current().
// Errors: kInvalidArgument, naming the file.
class TlsIdentity {
 public:
  static Expected<std::unique_ptr<TlsIdentity>> Load(
      boost::asio::any_io_executor strand, TlsFiles files, const Clock& clock);
  ~TlsIdentity();

  // Any thread. Another pointer after a change.
  std::shared_ptr<const TlsMaterial> current() const;

  Status Reload();
  Status Watch();

 private:
  class State;
  explicit TlsIdentity(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace assay::gateway

#endif  // ASSAY_SERVICES_GATEWAY_TLS_IDENTITY_H_
