#ifndef ASSAY_SERVICES_COORDINATOR_COORDINATOR_H_
#define ASSAY_SERVICES_COORDINATOR_COORDINATOR_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "services/gateway/tls_identity.h"
#include "services/git_http/index_limits.h"
#include "services/identity/password.h"
#include "services/notify/courier.h"
#include "services/storage/blobs/s3_settings.h"
#include "services/telemetry/otlp_settings.h"

namespace assay::rpc {
class MethodRegistry;
}

namespace assay::coordinator {

struct Options {
  // Everything that must survive; made when absent, for its owner only.
  std::filesystem::path data_dir;
  // postgres://user@host:port/database; empty: SQLite in the data directory.
  std::string store;
  // A bucket or a folder for the blobs, which all nodes of a store share;
  // empty: the data directory.
  storage::BlobPlace blobs;
  // Where our own spans go; none: nowhere.
  std::optional<telemetry::OtlpSettings> otlp;
  // What this coordinator is called among those that share the store; empty:
  // as it was called before, and the host's name at first.
  std::string node;
  // The host by which other nodes reach it; empty: that of the addresses.
  std::string advertise;
  // Certificates (PEM) by which other nodes are trusted over TLS; empty: this
  // one's own chain, and what the system trusts.
  std::string node_ca;
  // After how long without a word a node's repositories are made again
  // elsewhere.
  std::chrono::milliseconds node_lost_after{120'000};
  std::string grpc_address = "127.0.0.1:7070";
  std::string web_address = "127.0.0.1:7080";
  // How people reach the web port: what links and clone lines begin with.
  // Empty: the web address.
  std::string public_url;
  // For both ports; without files they speak plain text.
  gateway::TlsFiles tls;
  // A second address of gRPC, always without TLS, for programs of this
  // machine; empty: none.
  std::string local_grpc_address;
  // How long a worker's certificate is good; it is renewed after two thirds.
  std::chrono::seconds worker_certificate_life{30 * 24 * 3600};
  std::string version = "dev";
  // How people and programs outside are told; what is not set up is kept.
  notify::Ways ways;
  // How long a push stays to hear its results.
  std::chrono::milliseconds push_stay{10 * 60'000};
  // What indexing a push may take.
  git_http::IndexLimits index_limits;
  // How often what nobody waits for is done: retention, packing.
  std::chrono::milliseconds housekeeping_interval{60 * 60'000};
  // How long what is to be erased waits for a backup to end.
  std::chrono::milliseconds removal_patience{4'000};
  // What hashing a password costs.
  identity::PasswordCost password_cost;
  // How long a stop waits for requests that are being answered.
  std::chrono::milliseconds grace{5'000};
};

// The whole server, put together: store, repositories, domain services,
// dispatcher, deadlines, and the two ports in front of them.
//
// A start settles what a crash left open before anything is served, and
// compares the rest behind it.
//
// Ownership: borrows `clock`. Threads: confined to `strand`.
class Coordinator {
 public:
  // kFailedPrecondition: another assayd has the data directory.
  static boost::asio::awaitable<Expected<std::unique_ptr<Coordinator>>> Start(
      boost::asio::any_io_executor strand, const Clock& clock, Options options);
  // Stop must have returned.
  ~Coordinator();

  int grpc_port() const;
  int web_port() const;
  // Of the second address of gRPC; 0 without one.
  int local_grpc_port() const;
  const std::string& public_url() const;
  // Every method that is served, for the test that holds them to their roles.
  const rpc::MethodRegistry& methods() const;

  // Reads the files of TLS again, which happens by itself too when they change.
  Status ReloadCertificate();

  // Takes nothing new, lets requests that are being answered end within the
  // grace, ends streams, and closes. Leases stay in the store: their workers
  // come back to the next start.
  boost::asio::awaitable<void> Stop();

 private:
  struct Parts;
  explicit Coordinator(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace assay::coordinator

#endif  // ASSAY_SERVICES_COORDINATOR_COORDINATOR_H_
