#ifndef ASSAY_SERVICES_COORDINATOR_OPTIONS_H_
#define ASSAY_SERVICES_COORDINATOR_OPTIONS_H_

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "services/gateway/tls_identity.h"
#include "services/git_http/index_limits.h"
#include "services/identity/password.h"
#include "services/notify/courier.h"
#include "services/storage/blobs/s3_settings.h"
#include "services/telemetry/otlp_settings.h"

namespace assay::coordinator {

// How one coordinator is set up; what each option means to an operator stands
// in `assayd --help`.
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

}  // namespace assay::coordinator

#endif  // ASSAY_SERVICES_COORDINATOR_OPTIONS_H_
