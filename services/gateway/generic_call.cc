#include "services/gateway/generic_call.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <utility>

#include "services/gateway/one_shot.h"
#include "services/gateway/spawn.h"

namespace assay::gateway {
namespace {

using google::protobuf::Message;

grpc::Status ToGrpc(const Status& status) {
  if (status) return grpc::Status::OK;
  return {static_cast<grpc::StatusCode>(status.error().code),
          status.error().message};
}

std::string Metadata(const grpc::GenericCallbackServerContext& context,
                     const char* name) {
  const auto it = context.client_metadata().find(name);
  if (it == context.client_metadata().end()) return {};
  return {it->second.data(), it->second.size()};
}

// What outlives the reactor: gRPC may cancel a call at the very moment at
// which it ends, and the strand learns of it later.
struct Cancellation {
  bool cancelled = false;
  boost::asio::cancellation_signal signal;
};

// One call. A coroutine on the strand leads: it asks gRPC for one thing at a
// time and calls Finish at its end, so that the reactor outlives it.
class GenericCall final : public grpc::ServerGenericBidiReactor,
                          public rpc::MessageSink {
 public:
  GenericCall(boost::asio::any_io_executor strand, MethodGate& gate,
              const rpc::Method& method,
              grpc::GenericCallbackServerContext& context)
      : strand_(std::move(strand)), gate_(gate), method_(method) {
    CallHead head{.authorization = Metadata(context, "authorization"),
                  .traceparent = Metadata(context, "traceparent"),
                  .peer = context.peer()};
    boost::asio::post(strand_, [this, head = std::move(head)]() mutable {
      Begin(std::move(head));
    });
  }

  void OnReadDone(bool ok) override {
    boost::asio::post(strand_, [this, ok] { read_.Set(ok); });
  }
  void OnWriteDone(bool ok) override {
    boost::asio::post(strand_, [this, ok] { written_.Set(ok); });
  }
  void OnCancel() override {
    boost::asio::post(strand_, [state = cancellation_] {
      state->cancelled = true;
      state->signal.emit(boost::asio::cancellation_type::terminal);
    });
  }
  void OnDone() override { delete this; }

 private:
  void Begin(CallHead head) {
    // Only streams are cancelled: a unary handler that has begun to change
    // something goes on to its end, which is near.
    Spawn(strand_, "gRPC call", Serve(std::move(head)));
  }

  boost::asio::awaitable<void> Serve(CallHead head) {
    std::string authorization = head.authorization;
    Expected<rpc::CallContext> context =
        co_await gate_.Admit(method_, std::move(head));
    if (!context) co_return End(std::unexpected(std::move(context).error()));
    std::unique_ptr<Message> request(method_.request_prototype->New());
    if (Status status = co_await ReadRequest(*request); !status)
      co_return End(std::move(status));
    if (method_.server_streaming) {
      Status status = co_await Stream(
          *std::move(context), std::move(authorization), std::move(request));
      co_await WaitForWrite();
      co_return End(std::move(status));
    }
    auto response = co_await MethodGate::CallUnary(method_, *std::move(context),
                                                   std::move(request));
    if (!response) co_return End(std::unexpected(response.error()));
    Serialize(**response);
    StartWriteAndFinish(&outgoing_, grpc::WriteOptions(), grpc::Status::OK);
  }

  rpc::Async<void> ReadRequest(Message& request) {
    StartRead(&incoming_);
    if (!co_await read_.Take())
      co_return InvalidArgument("the call ended without a message");
    const grpc::Status status =
        grpc::GenericDeserialize<grpc::ProtoBufferReader, Message>(&incoming_,
                                                                   &request);
    if (!status.ok())
      co_return InvalidArgument("the request is no ",
                                request.GetDescriptor()->full_name(), ": ",
                                status.error_message());
    co_return Status();
  }

  // Runs the handler so that the caller's going ends it, wherever it waits.
  boost::asio::awaitable<Status> Stream(rpc::CallContext context,
                                        std::string authorization,
                                        std::unique_ptr<Message> request) {
    if (cancellation_->cancelled)
      co_return Fail(Code::kCancelled, "the caller has gone");
    OneShot<bool> ended;
    Status status = Fail(Code::kCancelled, "the caller has gone");
    Spawn(strand_, "gRPC stream",
          RunStream(std::move(context), std::move(authorization),
                    std::move(request), &status),
          cancellation_->signal.slot(), [&ended] { ended.Set(true); });
    co_await ended.Take();
    co_return status;
  }

  boost::asio::awaitable<void> RunStream(rpc::CallContext context,
                                         std::string authorization,
                                         std::unique_ptr<Message> request,
                                         Status* status) {
    *status = co_await gate_.CallStream(method_, std::move(context),
                                        std::move(authorization),
                                        std::move(request), *this);
  }

  // One message may be on its way while the handler makes the next.
  rpc::Async<void> Write(const Message& message) override {
    co_await WaitForWrite();
    if (cancellation_->cancelled || broken_)
      co_return Fail(Code::kCancelled, "the caller has gone");
    Serialize(message);
    writing_ = true;
    StartWrite(&outgoing_);
    co_return Status();
  }

  boost::asio::awaitable<void> WaitForWrite() {
    if (!writing_) co_return;
    const bool ok = co_await written_.Take();
    writing_ = false;
    broken_ |= !ok;
  }

  void Serialize(const Message& message) {
    bool own_buffer = false;
    outgoing_ = grpc::ByteBuffer();
    grpc::GenericSerialize<grpc::ProtoBufferWriter, Message>(
        message, &outgoing_, &own_buffer);
  }

  void End(Status status) { Finish(ToGrpc(status)); }

  const boost::asio::any_io_executor strand_;
  MethodGate& gate_;
  const rpc::Method& method_;
  const std::shared_ptr<Cancellation> cancellation_ =
      std::make_shared<Cancellation>();
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_;
  OneShot<bool> read_;
  OneShot<bool> written_;
  bool writing_ = false;
  bool broken_ = false;
};

// Refuses what is not in the registry.
class UnknownMethod final : public grpc::ServerGenericBidiReactor {
 public:
  explicit UnknownMethod(const std::string& method) {
    Finish({grpc::StatusCode::UNIMPLEMENTED, "no method " + method});
  }
  void OnDone() override { delete this; }
};

}  // namespace

GenericMethods::GenericMethods(boost::asio::any_io_executor strand,
                               MethodGate& gate)
    : strand_(std::move(strand)), gate_(gate) {}

grpc::ServerGenericBidiReactor* GenericMethods::CreateReactor(
    grpc::GenericCallbackServerContext* context) {
  std::string_view name = context->method();
  name.remove_prefix(name.starts_with('/') ? 1 : 0);
  const rpc::Method* method = gate_.Find(name);
  if (method == nullptr)
    return new UnknownMethod(std::string(name.substr(0, 200)));
  return new GenericCall(strand_, gate_, *method, *context);
}

}  // namespace assay::gateway
