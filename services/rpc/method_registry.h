#ifndef ASSAY_SERVICES_RPC_METHOD_REGISTRY_H_
#define ASSAY_SERVICES_RPC_METHOD_REGISTRY_H_

#include <google/protobuf/message.h>

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "assay/v1/access.pb.h"
#include "proto/base/error.h"
#include "proto/base/id.h"

namespace assay::rpc {

// Who calls, as their token says.
struct Caller {
  v1::Role role = v1::ROLE_UNSPECIFIED;
  // Empty for methods that anyone may call.
  TokenId token;
  // What the audit log shows: the token's label or the account's name.
  std::string label;
  // The only attempt that a candidate may touch.
  AttemptId attempt;
};

// What a handler knows beside the request.
struct CallContext {
  Caller caller;
  // W3C trace context of the caller, or empty.
  std::string traceparent;
  // Peer address, for the audit log.
  std::string peer;
};

template <class T>
using Async = boost::asio::awaitable<Expected<T>>;

// Sends the messages of a server stream.
//
// Threads: confined to the coordinator's strand.
// Errors: kCancelled once the reader has gone; the handler then returns.
class MessageSink {
 public:
  virtual ~MessageSink() = default;
  // Suspends while the reader is slow: at most a bounded number of messages
  // wait. Must not be called again before it has returned.
  virtual Async<void> Write(const google::protobuf::Message& message) = 0;
};

template <class Response>
class StreamWriter {
 public:
  explicit StreamWriter(MessageSink& sink) : sink_(&sink) {}
  Async<void> Write(Response message) {
    co_return co_await sink_->Write(message);
  }

 private:
  MessageSink* sink_;
};

// One method with its types erased, as the gRPC server and the Connect gateway
// see it.
struct Method {
  std::string full_name;  // "assay.v1.RunService/GetRun"
  v1::Access access;
  bool server_streaming = false;
  const google::protobuf::Message* request_prototype = nullptr;
  const google::protobuf::Message* response_prototype = nullptr;
  // Set unless streaming. Answers with a message of the response type.
  std::function<Async<std::unique_ptr<google::protobuf::Message>>(
      CallContext, std::unique_ptr<google::protobuf::Message>)>
      unary;
  // Set when streaming. `sink` outlives the coroutine.
  std::function<Async<void>(CallContext,
                            std::unique_ptr<google::protobuf::Message>,
                            MessageSink& sink)>
      stream;
};

// Every method that the coordinator serves, once: the gRPC server, the Connect
// gateway and the authorisation test all walk this table, so that no method
// exists on one of them only.
//
// Registration aborts for a method that no proto declares, whose types differ
// from the proto's, or whose proto has no `access` option: those are bugs.
//
// Ownership: handlers are owned by the registry and must not outlive what they
// borrow. Threads: filled before serving, read-only afterwards.
class MethodRegistry {
 public:
  // Registers `handler` for "assay.v1.RunService/GetRun".
  template <class Request, class Response>
  void Unary(std::string_view full_name,
             std::function<Async<Response>(CallContext, Request)> handler) {
    Method method;
    method.unary = [handler = std::move(handler)](
                       CallContext context,
                       std::unique_ptr<google::protobuf::Message> request)
        -> Async<std::unique_ptr<google::protobuf::Message>> {
      return RunUnary<Request, Response>(&handler, std::move(context),
                                         std::move(request));
    };
    Add(full_name, std::move(method), Request::default_instance(),
        Response::default_instance());
  }

  template <class Request, class Response>
  void ServerStream(
      std::string_view full_name,
      std::function<Async<void>(CallContext, Request, StreamWriter<Response>)>
          handler) {
    Method method;
    method.server_streaming = true;
    method.stream = [handler = std::move(handler)](
                        CallContext context,
                        std::unique_ptr<google::protobuf::Message> request,
                        MessageSink& sink) -> Async<void> {
      return handler(std::move(context),
                     std::move(static_cast<Request&>(*request)),
                     StreamWriter<Response>(sink));
    };
    Add(full_name, std::move(method), Request::default_instance(),
        Response::default_instance());
  }

  // Null where there is no such method.
  const Method* Find(std::string_view full_name) const;
  const std::map<std::string, Method, std::less<>>& methods() const {
    return methods_;
  }

 private:
  // The handler is passed as a pointer: a coroutine must not read the closure
  // of a lambda that may be gone.
  template <class Request, class Response>
  static Async<std::unique_ptr<google::protobuf::Message>> RunUnary(
      const std::function<Async<Response>(CallContext, Request)>* handler,
      CallContext context, std::unique_ptr<google::protobuf::Message> request) {
    Expected<Response> response = co_await (*handler)(
        std::move(context), std::move(static_cast<Request&>(*request)));
    if (!response) co_return std::unexpected(std::move(response).error());
    co_return std::make_unique<Response>(*std::move(response));
  }

  void Add(std::string_view full_name, Method method,
           const google::protobuf::Message& request,
           const google::protobuf::Message& response);

  std::map<std::string, Method, std::less<>> methods_;
};

}  // namespace assay::rpc

#endif  // ASSAY_SERVICES_RPC_METHOD_REGISTRY_H_
