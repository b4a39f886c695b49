#ifndef ASSAY_SERVICES_COORDINATOR_COORDINATOR_H_
#define ASSAY_SERVICES_COORDINATOR_COORDINATOR_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "services/coordinator/options.h"

namespace assay::rpc {
class MethodRegistry;
}

namespace assay::coordinator {

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
