#ifndef ASSAY_RUNNER_WORKER_LEASE_CONNECTION_H_
#define ASSAY_RUNNER_WORKER_LEASE_CONNECTION_H_

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "assay/runner/v1/lease_service.pb.h"
#include "proto/base/error.h"

namespace assay::worker {

// The addresses of "host:port", of a list of those with commas between them, or
// of gRPC's "ipv4:host:port,host:port", in their order. Other schemes of gRPC's
// stay as they are.
std::vector<std::string> AddressesOf(const std::string& coordinators);

// A channel to a coordinator over which one stream at a time is attached.
//
// Threads: confined to `executor`, on which the callbacks run too; gRPC's own
// threads only post.
class LeaseConnection {
 public:
  struct Events {
    std::function<void(runner::v1::AttachResponse)> on_message;
    // Called once for each Attach; nothing follows it. The error says why the
    // stream ended: kUnauthenticated and kPermissionDenied will not go away by
    // themselves.
    std::function<void(Error)> on_closed;
  };

  // How a coordinator is spoken to over TLS: who is trusted, and who we are
  // (all PEM). Without it, plain text.
  struct Tls {
    std::string authorities;
    std::string key;
    std::string certificate;
  };

  // `coordinators` is host:port or a list: see AddressesOf.
  LeaseConnection(boost::asio::any_io_executor executor,
                  const std::string& coordinators, Events events,
                  std::optional<Tls> tls = std::nullopt);
  // Ends the stream and waits for its end, which is a matter of microseconds;
  // no callback runs afterwards.
  ~LeaseConnection();
  LeaseConnection(const LeaseConnection&) = delete;
  LeaseConnection& operator=(const LeaseConnection&) = delete;

  // Begins a stream; the one before must have been closed. Of several
  // coordinators it goes to the next one each time. An empty token is not sent.
  void Attach(const std::string& token);
  // Where the last Attach went to, or the first will go.
  const std::string& address() const { return addresses_[turn_]; }
  const std::vector<std::string>& addresses() const { return addresses_; }
  // From the next Attach on, this is who we are.
  void Use(Tls tls);
  // Queues a message. Lost, like everything on the way, when the stream ends.
  void Send(runner::v1::AttachRequest request);
  // Ends the stream at once.
  void Cancel();
  // Half-closes after what is queued; the stream ends soon after.
  void Finish();

 private:
  class Channel;
  class Stream;
  // One by one: gRPC would compare each certificate of a list with the name of
  // the list, and would not leave one that is drained.
  const std::vector<std::string> addresses_;
  std::size_t turn_ = 0;
  boost::asio::any_io_executor executor_;
  std::shared_ptr<Events> events_;
  std::optional<Tls> tls_;
  // The channel is one of before the last Use.
  bool changed_ = false;
  std::unique_ptr<Channel> channel_;
  std::unique_ptr<Stream> stream_;
};

}  // namespace assay::worker

#endif  // ASSAY_RUNNER_WORKER_LEASE_CONNECTION_H_
