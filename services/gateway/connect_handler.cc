#include "services/gateway/connect_handler.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

#include "services/gateway/connect_codec.h"
#include "services/gateway/read_body.h"
#include "services/gateway/run_while_connected.h"
#include "services/gateway/spawn.h"

namespace assay::gateway {
namespace {

namespace asio = boost::asio;
using google::protobuf::Message;

constexpr std::string_view kErrorType = "application/json";

std::string_view TypeOf(Codec codec, bool streaming) {
  if (streaming)
    return codec == Codec::kJson ? "application/connect+json"
                                 : "application/connect+proto";
  return codec == Codec::kJson ? "application/json" : "application/proto";
}

constexpr std::size_t kMaxBody = 4 << 20;
// Whoever writes assignments sends templates and suites, in base64.
constexpr std::size_t kMaxAuthorBody = 96 << 20;

struct CallOptions {
  std::optional<std::chrono::milliseconds> timeout;
};

// "application/json; charset=utf-8" -> "application/json".
std::string_view MediaType(std::string_view value) {
  value = value.substr(0, value.find(';'));
  while (value.ends_with(' ')) value.remove_suffix(1);
  return value;
}

// Absent: neither is what the request has.
std::optional<Codec> CodecOf(const HttpRequest& request, bool streaming) {
  const std::string_view type = MediaType(request.Field("content-type"));
  for (const Codec codec : {Codec::kJson, Codec::kProto})
    if (type == TypeOf(codec, streaming)) return codec;
  return std::nullopt;
}

Expected<CallOptions> ReadOptions(const HttpRequest& request) {
  const std::string_view version = request.Field("connect-protocol-version");
  if (!version.empty() && version != "1")
    return InvalidArgument("connect-protocol-version is \"",
                           version.substr(0, 20), "\": expected 1");
  for (const char* name : {"content-encoding", "connect-content-encoding"}) {
    const std::string_view encoding = request.Field(name);
    if (!encoding.empty() && encoding != "identity")
      return Unimplemented(name, " ", encoding.substr(0, 20),
                           " is not supported: send the body as it is");
  }
  ASSAY_ASSIGN_OR_RETURN(const auto timeout,
                         ConnectTimeout(request.Field("connect-timeout-ms")));
  return CallOptions{.timeout = timeout};
}

std::size_t BodyLimit(const rpc::CallContext& context) {
  const bool author = context.caller.role == v1::ROLE_ADMIN ||
                      context.caller.role == v1::ROLE_AUTHOR;
  return author ? kMaxAuthorBody : kMaxBody;
}

// The handler's side of a stream: writes to the client as it is read.
class FrameSink final : public rpc::MessageSink {
 public:
  FrameSink(HttpExchange& exchange, Codec codec)
      : exchange_(exchange), codec_(codec) {}
  rpc::Async<void> Write(const Message& message) override {
    Expected<std::string> bytes = PrintMessage(codec_, message);
    if (!bytes) co_return std::unexpected(std::move(bytes).error());
    co_return co_await exchange_.Write(ConnectFrame(*bytes));
  }

 private:
  HttpExchange& exchange_;
  const Codec codec_;
};

// What a unary call and its timer share: the call may outlive the answer.
struct UnaryRace {
  explicit UnaryRace(const asio::any_io_executor& strand) : timer(strand) {}
  asio::steady_timer timer;
  std::optional<Expected<std::unique_ptr<Message>>> result;
};

asio::awaitable<void> RunUnary(const rpc::Method* method,
                               rpc::CallContext context,
                               std::unique_ptr<Message> request,
                               std::shared_ptr<UnaryRace> race) {
  race->result = co_await MethodGate::CallUnary(*method, std::move(context),
                                                std::move(request));
  race->timer.cancel();
}

// A handler that has begun to change something is left to its end; only the
// waiting for it has a limit.
rpc::Async<std::unique_ptr<Message>> CallWithin(
    asio::any_io_executor strand, const rpc::Method& method,
    rpc::CallContext context, std::unique_ptr<Message> request,
    std::optional<std::chrono::milliseconds> timeout) {
  if (!timeout)
    co_return co_await MethodGate::CallUnary(method, std::move(context),
                                             std::move(request));
  const auto race = std::make_shared<UnaryRace>(strand);
  race->timer.expires_after(*timeout);
  Spawn(strand, "unary call",
        RunUnary(&method, std::move(context), std::move(request), race));
  boost::system::error_code ignored;
  if (!race->result)
    co_await race->timer.async_wait(
        asio::redirect_error(asio::use_awaitable, ignored));
  if (race->result) co_return *std::move(race->result);
  co_return Fail(Code::kDeadlineExceeded, "no answer within ", timeout->count(),
                 " ms");
}

// A call that was let in, with its message.
struct ConnectCall {
  CallOptions options;
  std::string authorization;
  rpc::CallContext context;
  std::unique_ptr<Message> request;
};

asio::awaitable<void> RunStream(MethodGate& gate, const rpc::Method& method,
                                ConnectCall call, FrameSink& sink,
                                Status& status) {
  status = co_await gate.CallStream(method, std::move(call.context),
                                    std::move(call.authorization),
                                    std::move(call.request), sink);
}

HttpResponse ErrorResponse(const Error& error) {
  return {.status = ConnectHttpStatus(error.code),
          .fields = {{"Content-Type", std::string(kErrorType)},
                     {"Cache-Control", "no-store"}},
          .body = ConnectErrorJson(error)};
}

// `fields` go along with an answer that is no error.
asio::awaitable<void> RespondUnary(HttpExchange& exchange,
                                   Expected<std::string> message, Codec codec,
                                   HeaderFields fields = {}) {
  HttpResponse response;
  if (message) {
    response.fields = std::move(fields);
    response.fields.emplace_back("Content-Type", TypeOf(codec, false));
    response.fields.emplace_back("Cache-Control", "no-store");
    response.body = *std::move(message);
  } else {
    response = ErrorResponse(message.error());
  }
  static_cast<void>(co_await exchange.Respond(std::move(response)));
}

// Everything before the handler: who calls, and what.
rpc::Async<std::unique_ptr<Message>> ReadRequest(HttpExchange& exchange,
                                                 const rpc::Method& method,
                                                 Codec codec,
                                                 std::size_t limit) {
  Expected<std::string> body = co_await ReadBody(exchange, limit);
  if (!body) co_return std::unexpected(std::move(body).error());
  std::string_view bytes = *body;
  if (method.server_streaming) {
    ASSAY_CO_ASSIGN_OR_RETURN(bytes, ConnectRequestFrame(*body));
  }
  std::unique_ptr<Message> request(method.request_prototype->New());
  ASSAY_CO_RETURN_IF_ERROR(ParseMessage(codec, bytes, *request));
  co_return request;
}

rpc::Async<ConnectCall> Begin(HttpExchange& exchange, MethodGate& gate,
                              const SessionCookie& cookie,
                              const rpc::Method& method, Codec codec) {
  const HttpRequest& head = exchange.request();
  ConnectCall call;
  ASSAY_CO_ASSIGN_OR_RETURN(call.options, ReadOptions(head));
  ASSAY_CO_ASSIGN_OR_RETURN(call.authorization, cookie.Authorization(head));
  auto context = co_await gate.Admit(
      method, {.authorization = call.authorization,
               .traceparent = std::string(head.Field("traceparent")),
               .peer = head.peer});
  if (!context) co_return std::unexpected(std::move(context).error());
  call.context = *std::move(context);
  auto request =
      co_await ReadRequest(exchange, method, codec, BodyLimit(call.context));
  if (!request) co_return std::unexpected(std::move(request).error());
  call.request = *std::move(request);
  co_return call;
}

asio::awaitable<void> HandleUnary(asio::any_io_executor strand,
                                  HttpExchange& exchange, MethodGate& gate,
                                  const SessionCookie& cookie,
                                  const rpc::Method& method, Codec codec) {
  Expected<ConnectCall> call =
      co_await Begin(exchange, gate, cookie, method, codec);
  if (!call)
    co_return co_await RespondUnary(exchange, std::unexpected(call.error()),
                                    codec);
  auto response =
      co_await CallWithin(strand, method, std::move(call->context),
                          std::move(call->request), call->options.timeout);
  if (!response)
    co_return co_await RespondUnary(exchange, std::unexpected(response.error()),
                                    codec);
  HeaderFields fields;
  cookie.Apply(**response, fields);
  co_await RespondUnary(exchange, PrintMessage(codec, **response), codec,
                        std::move(fields));
}

// A stream's errors travel in its last frame: its status is always 200.
asio::awaitable<void> HandleStream(asio::any_io_executor strand,
                                   HttpExchange& exchange, MethodGate& gate,
                                   const SessionCookie& cookie,
                                   const rpc::Method& method, Codec codec) {
  Expected<ConnectCall> call =
      co_await Begin(exchange, gate, cookie, method, codec);
  const Status head = co_await exchange.StartResponse(
      200, {{"Content-Type", std::string(TypeOf(codec, true))},
            {"Cache-Control", "no-store"},
            {"X-Accel-Buffering", "no"}});
  if (!head) co_return;
  Status status = Fail(Code::kCancelled, "the caller has gone");
  if (call) {
    FrameSink sink(exchange, codec);
    const auto timeout = call->options.timeout;
    const WorkEnd end = co_await RunWhileConnected(
        strand, exchange, timeout,
        RunStream(gate, method, *std::move(call), sink, status));
    if (end == WorkEnd::kTimedOut)
      status = Fail(Code::kDeadlineExceeded, "the stream's time of ",
                    timeout->count(), " ms is over");
  } else {
    status = std::unexpected(std::move(call).error());
  }
  if (co_await exchange.Write(ConnectEndFrame(status)))
    static_cast<void>(co_await exchange.Finish());
}

}  // namespace

ConnectHandler::ConnectHandler(asio::any_io_executor strand, MethodGate& gate,
                               bool https)
    : strand_(std::move(strand)), gate_(gate), cookie_(https) {}

bool ConnectHandler::Serves(std::string_view path) const {
  return path.starts_with('/') && gate_.Find(path.substr(1)) != nullptr;
}

asio::awaitable<void> ConnectHandler::Handle(HttpExchange& exchange) {
  const HttpRequest& request = exchange.request();
  const rpc::Method& method =
      *gate_.Find(std::string_view(request.path).substr(1));
  if (request.method != "POST") {
    static_cast<void>(co_await exchange.Respond(
        {.status = 405, .fields = {{"Allow", "POST"}}}));
    co_return;
  }
  const std::optional<Codec> codec = CodecOf(request, method.server_streaming);
  if (!codec) {
    std::string accepted(TypeOf(Codec::kJson, method.server_streaming));
    accepted += ", ";
    accepted += TypeOf(Codec::kProto, method.server_streaming);
    static_cast<void>(co_await exchange.Respond(
        {.status = 415, .fields = {{"Accept-Post", accepted}}}));
    co_return;
  }
  if (method.server_streaming)
    co_await HandleStream(strand_, exchange, gate_, cookie_, method, *codec);
  else
    co_await HandleUnary(strand_, exchange, gate_, cookie_, method, *codec);
}

}  // namespace assay::gateway
