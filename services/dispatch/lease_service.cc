#include "services/dispatch/lease_service.h"

#include <grpc/grpc_security_constants.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <deque>
#include <exception>
#include <mutex>
#include <utility>

namespace assay::dispatch {
namespace {

using runner::v1::AttachRequest;
using runner::v1::AttachResponse;

// What one worker may leave unread. A chunk is asked for one at a time, so a
// worker that reads has at most a few messages waiting.
constexpr std::size_t kMaxQueued = 1'024;

grpc::Status ToGrpc(const Error& error) {
  return {static_cast<grpc::StatusCode>(error.code), error.message};
}

AttachHead HeadOf(const grpc::CallbackServerContext& context) {
  AttachHead head;
  const auto& metadata = context.client_metadata();
  if (const auto it = metadata.find("authorization"); it != metadata.end())
    head.authorization.assign(it->second.data(), it->second.size());
  const auto said = [&](const char* property) {
    const auto values = context.auth_context()->FindPropertyValues(property);
    return values.empty() ? std::string()
                          : std::string(values[0].data(), values[0].size());
  };
  head.tls = said(GRPC_TRANSPORT_SECURITY_TYPE_PROPERTY_NAME) ==
             GRPC_SSL_TRANSPORT_SECURITY_TYPE;
  if (head.tls) head.certificate = said(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  return head;
}

// One attached stream. gRPC owns the reactor's life (OnDone deletes it); the
// link is what the strand keeps, and outlives it harmlessly.
//
// Threads: gRPC's and the strand; `mutex_` guards everything. It is held while
// operations are started, which keeps the reactor alive meanwhile: OnDone
// takes it too.
class StreamLink final : public WorkerLink {
 public:
  using Reactor = grpc::ServerBidiReactor<AttachRequest, AttachResponse>;
  explicit StreamLink(Reactor* reactor) : reactor_(reactor) {}

  void Send(AttachResponse response) override {
    const std::scoped_lock lock(mutex_);
    if (closing_ || reactor_ == nullptr) return;
    if (queue_.size() >= kMaxQueued) {
      CloseLocked(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                               "the worker does not read its stream"));
      return;
    }
    queue_.push_back(std::move(response));
    if (queue_.size() == 1) reactor_->StartWrite(&queue_.front());
  }

  void Close(Error error) override { CloseWith(ToGrpc(error)); }

  void CloseWith(grpc::Status status) {
    const std::scoped_lock lock(mutex_);
    CloseLocked(std::move(status));
  }

  void Read(AttachRequest* into) {
    const std::scoped_lock lock(mutex_);
    if (!closing_ && reactor_ != nullptr) reactor_->StartRead(into);
  }

  void Written(bool ok) {
    const std::scoped_lock lock(mutex_);
    queue_.pop_front();
    if (!ok) queue_.clear();
    if (closing_ || !ok) queue_.resize(0);
    if (closing_)
      FinishLocked();
    else if (!queue_.empty())
      reactor_->StartWrite(&queue_.front());
  }

  // No call reaches the reactor after this.
  void Detach() {
    const std::scoped_lock lock(mutex_);
    reactor_ = nullptr;
  }

 private:
  void CloseLocked(grpc::Status status) {
    if (closing_) return;
    closing_ = true;
    status_ = std::move(status);
    // A write in flight must end first; what waits behind it is dropped, as
    // after a lost connection.
    if (queue_.empty()) FinishLocked();
  }
  void FinishLocked() {
    if (reactor_ != nullptr && !std::exchange(finished_, true))
      reactor_->Finish(status_);
  }

  std::mutex mutex_;
  Reactor* reactor_;
  std::deque<AttachResponse> queue_;  // the front one is being written
  bool closing_ = false;
  bool finished_ = false;
  grpc::Status status_;
};

// What the strand needs of a stream after the reactor may be gone.
struct Stream {
  boost::asio::any_io_executor strand;
  Dispatcher* dispatcher = nullptr;
  std::shared_ptr<StreamLink> link;
  // 0 until the token was accepted, and after the end. Strand only.
  Dispatcher::SessionId session = 0;
  bool ended = false;
  // One message is read at a time: the next read starts when this one has
  // been handled, which is the back-pressure.
  AttachRequest request;
};

boost::asio::awaitable<void> Begin(std::shared_ptr<Stream> stream,
                                   AdmitWorker admit, AttachHead head) {
  auto proof = co_await admit(std::move(head));
  if (!proof) {
    stream->link->Close(proof.error());
    co_return;
  }
  if (stream->ended) co_return;
  stream->session = stream->dispatcher->Open(stream->link, *std::move(proof));
  stream->link->Read(&stream->request);
}

boost::asio::awaitable<void> HandleOne(std::shared_ptr<Stream> stream) {
  if (stream->session == 0) co_return;
  co_await stream->dispatcher->Handle(stream->session,
                                      std::move(stream->request));
  stream->request.Clear();
  stream->link->Read(&stream->request);
}

void Spawn(const boost::asio::any_io_executor& strand,
           boost::asio::awaitable<void> task) {
  boost::asio::co_spawn(strand, std::move(task), [](std::exception_ptr bug) {
    if (bug) std::rethrow_exception(bug);
  });
}

class AttachReactor final : public StreamLink::Reactor {
 public:
  AttachReactor(boost::asio::any_io_executor strand, Dispatcher& dispatcher,
                const AdmitWorker& admit, AttachHead head)
      : stream_(std::make_shared<Stream>()) {
    stream_->strand = strand;
    stream_->dispatcher = &dispatcher;
    stream_->link = std::make_shared<StreamLink>(this);
    Spawn(strand, Begin(stream_, admit, std::move(head)));
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      // The worker has closed its side, or the stream was cancelled.
      stream_->link->CloseWith(grpc::Status::OK);
      return;
    }
    boost::asio::post(stream_->strand, [stream = stream_] {
      Spawn(stream->strand, HandleOne(stream));
    });
  }
  void OnWriteDone(bool ok) override { stream_->link->Written(ok); }
  void OnCancel() override {
    stream_->link->CloseWith(grpc::Status::CANCELLED);
  }
  void OnDone() override {
    stream_->link->Detach();
    boost::asio::post(stream_->strand, [stream = stream_] {
      stream->ended = true;
      if (stream->session != 0)
        stream->dispatcher->Closed(std::exchange(stream->session, 0));
    });
    delete this;
  }

 private:
  const std::shared_ptr<Stream> stream_;
};

}  // namespace

LeaseServiceImpl::LeaseServiceImpl(boost::asio::any_io_executor strand,
                                   Dispatcher& dispatcher, AdmitWorker admit)
    : strand_(std::move(strand)),
      dispatcher_(dispatcher),
      admit_(std::move(admit)) {}

grpc::ServerBidiReactor<AttachRequest, AttachResponse>*
LeaseServiceImpl::Attach(grpc::CallbackServerContext* context) {
  return new AttachReactor(strand_, dispatcher_, admit_, HeadOf(*context));
}

}  // namespace assay::dispatch
