#include "services/gateway/method_gate.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <utility>

namespace assay::gateway {
namespace {

bool MayCall(const v1::Access& access, v1::Role role) {
  return std::ranges::find(access.roles(), role) != access.roles().end();
}

// "ROLE_AUTHOR" as people say it: "author".
std::string RoleName(int role) {
  std::string name = v1::Role_Name(static_cast<v1::Role>(role)).substr(5);
  std::ranges::transform(name, name.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return name;
}

std::string RoleNames(const v1::Access& access) {
  std::string names;
  for (const int role : access.roles())
    names += (names.empty() ? "" : ", ") + RoleName(role);
  return names;
}

// Called in a catch block.
std::unexpected<Error> ErrorOfException(const std::string& method) {
  try {
    throw;
  } catch (const boost::system::system_error& error) {
    if (error.code() == boost::asio::error::operation_aborted)
      return Fail(Code::kCancelled, "the caller has gone");
    spdlog::error("{}: unexpected {}", method, error.what());
  } catch (const std::exception& error) {
    spdlog::error("{}: unexpected {}", method, error.what());
  }
  return Internal("this is a fault of the server; its log says more");
}

rpc::Async<rpc::Caller> AdmitCaller(const Authenticate& authenticate,
                                    const rpc::Method& method,
                                    std::string authorization) {
  Expected<rpc::Caller> caller =
      co_await authenticate(std::move(authorization));
  if (!caller) co_return caller;
  if (!MayCall(method.access, caller->role))
    co_return PermissionDenied("this token's role is ", RoleName(caller->role),
                               "; ", method.full_name,
                               " needs one of: ", RoleNames(method.access));
  co_return caller;
}

// Hands messages on for as long as their reader may have them.
class AdmittedSink final : public rpc::MessageSink {
 public:
  AdmittedSink(const Authenticate& authenticate, const rpc::Method& method,
               std::string authorization, v1::Role role,
               std::chrono::milliseconds ask_again, rpc::MessageSink& sink)
      : authenticate_(authenticate),
        method_(method),
        authorization_(std::move(authorization)),
        role_(role),
        ask_again_(ask_again),
        sink_(sink) {}

  rpc::Async<void> Write(const google::protobuf::Message& message) override {
    const auto now = std::chrono::steady_clock::now();
    if (now - asked_ >= ask_again_) {
      const auto caller =
          co_await AdmitCaller(authenticate_, method_, authorization_);
      if (!caller) co_return std::unexpected(caller.error());
      // What was sent so far was made for the old one.
      if (caller->role != role_)
        co_return PermissionDenied("the caller's role has changed; call again");
      asked_ = now;
    }
    co_return co_await sink_.Write(message);
  }

 private:
  const Authenticate& authenticate_;
  const rpc::Method& method_;
  const std::string authorization_;
  const v1::Role role_;
  const std::chrono::milliseconds ask_again_;
  std::chrono::steady_clock::time_point asked_ =
      std::chrono::steady_clock::now();
  rpc::MessageSink& sink_;
};

}  // namespace

MethodGate::MethodGate(const rpc::MethodRegistry& methods,
                       Authenticate authenticate,
                       std::chrono::milliseconds ask_again)
    : methods_(methods),
      authenticate_(std::move(authenticate)),
      ask_again_(ask_again) {}

const rpc::Method* MethodGate::Find(std::string_view full_name) const {
  return methods_.Find(full_name);
}

rpc::Async<rpc::CallContext> MethodGate::Admit(const rpc::Method& method,
                                               CallHead head) {
  rpc::CallContext context;
  context.traceparent = std::move(head.traceparent);
  context.peer = std::move(head.peer);
  if (method.access.anyone()) co_return context;
  auto caller = co_await AdmitCaller(authenticate_, method,
                                     std::move(head.authorization));
  if (!caller) co_return std::unexpected(std::move(caller).error());
  context.caller = *std::move(caller);
  co_return context;
}

rpc::Async<std::unique_ptr<google::protobuf::Message>> MethodGate::CallUnary(
    const rpc::Method& method, rpc::CallContext context,
    std::unique_ptr<google::protobuf::Message> request) {
  try {
    co_return co_await method.unary(std::move(context), std::move(request));
  } catch (...) {
    co_return ErrorOfException(method.full_name);
  }
}

rpc::Async<void> MethodGate::CallStream(
    const rpc::Method& method, rpc::CallContext context,
    std::string authorization,
    std::unique_ptr<google::protobuf::Message> request,
    rpc::MessageSink& sink) {
  try {
    if (method.access.anyone())
      co_return co_await method.stream(std::move(context), std::move(request),
                                       sink);
    AdmittedSink admitted(authenticate_, method, std::move(authorization),
                          context.caller.role, ask_again_, sink);
    co_return co_await method.stream(std::move(context), std::move(request),
                                     admitted);
  } catch (...) {
    co_return ErrorOfException(method.full_name);
  }
}

}  // namespace assay::gateway
