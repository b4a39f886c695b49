#include "runner/worker/lease_connection.h"

#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <boost/asio/post.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string_view>
#include <utility>

#include "assay/runner/v1/lease_service.grpc.pb.h"

namespace assay::worker {

using runner::v1::AttachRequest;
using runner::v1::AttachResponse;
using runner::v1::LeaseService;

std::vector<std::string> AddressesOf(const std::string& coordinators) {
  std::string_view rest = coordinators;
  for (const std::string_view scheme : {"ipv4:", "ipv6:"})
    if (rest.starts_with(scheme)) rest.remove_prefix(scheme.size());
  std::vector<std::string> addresses;
  for (;;) {
    const std::size_t comma = rest.find(',');
    if (const auto address = rest.substr(0, comma); !address.empty())
      addresses.emplace_back(address);
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  // Nothing but commas is for gRPC to refuse.
  if (addresses.empty()) addresses.push_back(coordinators);
  return addresses;
}

class LeaseConnection::Channel {
 public:
  Channel(const std::string& address, const std::optional<Tls>& tls) {
    grpc::ChannelArguments arguments;
    // The worker decides when to try again; gRPC must not wait on top.
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
    // Never through a proxy of the environment.
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    channel_ = grpc::CreateCustomChannel(
        address,
        tls ? grpc::SslCredentials({.pem_root_certs = tls->authorities,
                                    .pem_private_key = tls->key,
                                    .pem_cert_chain = tls->certificate})
            : grpc::InsecureChannelCredentials(),
        arguments);
    stub_ = LeaseService::NewStub(channel_);
  }
  LeaseService::Stub& stub() { return *stub_; }

 private:
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<LeaseService::Stub> stub_;
};

// One stream. Its destructor waits until gRPC is done with it, so that neither
// it nor the channel goes away on a thread of gRPC's.
//
// Threads: gRPC's and the executor; `mutex_` guards the queue and the flags.
class LeaseConnection::Stream final
    : public grpc::ClientBidiReactor<AttachRequest, AttachResponse> {
 public:
  Stream(boost::asio::any_io_executor executor, std::weak_ptr<Events> events)
      : executor_(std::move(executor)), events_(std::move(events)) {}
  ~Stream() override {
    Cancel();
    std::unique_lock lock(mutex_);
    done_signal_.wait(lock, [this] { return done_; });
  }

  void Start(LeaseService::Stub& stub, const std::string& token) {
    if (!token.empty())
      context_.AddMetadata("authorization", "Bearer " + token);
    stub.async()->Attach(&context_, this);
    // Writes begin outside of reactions.
    AddHold();
    StartRead(&response_);
    StartCall();
  }

  void Write(AttachRequest request) {
    const std::scoped_lock lock(mutex_);
    if (over_) return;
    queue_.push_back(std::move(request));
    if (queue_.size() == 1) StartWrite(&queue_.front());
  }
  void FinishWriting() {
    const std::scoped_lock lock(mutex_);
    finishing_ = true;
    if (queue_.empty() && !over_) EndLocked(/*half_close=*/true);
  }
  void Cancel() { context_.TryCancel(); }

  void OnReadDone(bool ok) override {
    if (!ok) {
      const std::scoped_lock lock(mutex_);
      EndLocked(/*half_close=*/false);
      return;
    }
    boost::asio::post(executor_, [events = events_,
                                  response = std::move(response_)]() mutable {
      if (const auto to = events.lock()) to->on_message(std::move(response));
    });
    response_.Clear();
    StartRead(&response_);
  }
  void OnWriteDone(bool ok) override {
    const std::scoped_lock lock(mutex_);
    queue_.pop_front();
    if (!ok || over_) {
      queue_.clear();
      return;
    }
    if (!queue_.empty())
      StartWrite(&queue_.front());
    else if (finishing_)
      EndLocked(/*half_close=*/true);
  }
  void OnDone(const grpc::Status& status) override {
    Error error{static_cast<Code>(status.error_code()), status.error_message()};
    boost::asio::post(executor_, [events = events_, error] {
      if (const auto to = events.lock()) to->on_closed(error);
    });
    const std::scoped_lock lock(mutex_);
    done_ = true;
    done_signal_.notify_all();
  }

 private:
  void EndLocked(bool half_close) {
    if (std::exchange(over_, true)) return;
    if (half_close) StartWritesDone();
    RemoveHold();
  }

  const boost::asio::any_io_executor executor_;
  const std::weak_ptr<Events> events_;
  grpc::ClientContext context_;
  AttachResponse response_;
  std::mutex mutex_;
  std::condition_variable done_signal_;
  std::deque<AttachRequest> queue_;  // the front one is being written
  bool finishing_ = false;
  bool over_ = false;
  bool done_ = false;
};

LeaseConnection::LeaseConnection(boost::asio::any_io_executor executor,
                                 const std::string& coordinators, Events events,
                                 std::optional<Tls> tls)
    : addresses_(AddressesOf(coordinators)),
      executor_(std::move(executor)),
      events_(std::make_shared<Events>(std::move(events))),
      tls_(std::move(tls)) {}

LeaseConnection::~LeaseConnection() = default;

void LeaseConnection::Attach(const std::string& token) {
  // A stream ends before its channel.
  const bool first = std::exchange(stream_, nullptr) == nullptr;
  if (addresses_.size() > 1 && !first) {
    turn_ = (turn_ + 1) % addresses_.size();
    changed_ = true;
  }
  if (std::exchange(changed_, false)) channel_.reset();
  if (channel_ == nullptr)
    channel_ = std::make_unique<Channel>(address(), tls_);
  stream_ = std::make_unique<Stream>(executor_, events_);
  stream_->Start(channel_->stub(), token);
}

void LeaseConnection::Use(Tls tls) {
  tls_ = std::move(tls);
  changed_ = true;
}

void LeaseConnection::Send(AttachRequest request) {
  if (stream_) stream_->Write(std::move(request));
}

void LeaseConnection::Cancel() {
  if (stream_) stream_->Cancel();
}

void LeaseConnection::Finish() {
  if (stream_) stream_->FinishWriting();
}

}  // namespace assay::worker
