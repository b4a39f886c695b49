#ifndef ASSAY_SERVICES_GATEWAY_GRPC_PROBE_H_
#define ASSAY_SERVICES_GATEWAY_GRPC_PROBE_H_

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace assay::gateway {

struct ProbeOptions {
  // With two failures in a row, a deaf server is found within 12 seconds.
  std::chrono::milliseconds interval{3'000};
  std::chrono::milliseconds timeout{3'000};
  int failures = 2;
  // The port speaks TLS. Its certificate is not looked at.
  bool tls = false;
};

// Asks our own gRPC port now and then whether it still answers. Debian's gRPC
// 1.51 stops accepting for good once it has run out of file descriptors
// (CVE-2023-4785), also when there are enough again; nothing but a new process
// helps.
//
// Having no descriptor for the question counts as no answer either way.
//
// Threads: confined to `strand`.
class GrpcProbe {
 public:
  // `on_deaf` is called once. `host` is an IP address; an unspecified one is
  // asked on loopback.
  GrpcProbe(boost::asio::any_io_executor strand, const std::string& host,
            int port, std::function<void()> on_deaf, ProbeOptions options = {});
  ~GrpcProbe();

  struct Counts {
    std::uint64_t answered = 0;
    std::uint64_t silent = 0;
    // What the last answer took.
    std::chrono::duration<double> took{0};
  };
  Counts counts() const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace assay::gateway

#endif  // ASSAY_SERVICES_GATEWAY_GRPC_PROBE_H_
