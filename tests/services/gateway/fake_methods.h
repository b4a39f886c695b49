#ifndef ASSAY_TESTS_SERVICES_GATEWAY_FAKE_METHODS_H_
#define ASSAY_TESTS_SERVICES_GATEWAY_FAKE_METHODS_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <future>
#include <stdexcept>
#include <string>

#include "assay/v1/invitation_service.pb.h"
#include "assay/v1/run_service.pb.h"
#include "services/gateway/method_gate.h"
#include "services/rpc/method_registry.h"

namespace assay::gateway {

// A few methods of the real protos with handlers that do as the request's name
// says: "runs/hang" never answers, "runs/throw" throws.
class FakeMethods {
 public:
  explicit FakeMethods(boost::asio::any_io_executor strand)
      : strand_(std::move(strand)) {
    registry_.Unary<v1::GetRunRequest, v1::GetRunResponse>(
        "assay.v1.RunService/GetRun",
        [this](rpc::CallContext context, v1::GetRunRequest request) {
          return GetRun(std::move(context), std::move(request));
        });
    registry_.Unary<v1::AcceptInvitationRequest, v1::AcceptInvitationResponse>(
        "assay.v1.InvitationService/AcceptInvitation",
        [](rpc::CallContext, v1::AcceptInvitationRequest request) {
          return Accept(std::move(request));
        });
    registry_.ServerStream<v1::WatchRunRequest, v1::WatchRunResponse>(
        "assay.v1.RunService/WatchRun",
        [this](rpc::CallContext, v1::WatchRunRequest request,
               rpc::StreamWriter<v1::WatchRunResponse> writer) {
          return Watch(std::move(request), writer);
        });
  }

  const rpc::MethodRegistry& registry() const { return registry_; }

  // "Bearer candidate" is a candidate, and so on for two more.
  static rpc::Async<rpc::Caller> Authenticate(std::string authorization) {
    if (authorization == "Bearer candidate")
      co_return rpc::Caller{.role = v1::ROLE_CANDIDATE, .label = "c"};
    if (authorization == "Bearer worker")
      co_return rpc::Caller{.role = v1::ROLE_WORKER, .label = "w"};
    co_return Unauthenticated("no such token");
  }

  // Set once the first handler of a stream has ended, in whatever way.
  std::promise<void> watch_ended;

 private:
  rpc::Async<v1::GetRunResponse> GetRun(rpc::CallContext context,
                                        v1::GetRunRequest request) {
    if (request.name() == "runs/throw") throw std::runtime_error("secret bug");
    if (request.name() == "runs/slow") {
      boost::asio::steady_timer timer(strand_, std::chrono::hours(1));
      co_await timer.async_wait(boost::asio::use_awaitable);
    }
    if (!request.name().starts_with("runs/"))
      co_return InvalidArgument("\"", request.name(), "\" is no run's name");
    if (request.name() == "runs/none") co_return NotFound("no run none");
    v1::GetRunResponse response;
    response.mutable_run()->set_name(request.name());
    response.mutable_run()->set_attempt(context.caller.label);
    response.mutable_run()->set_trace_id(context.traceparent);
    response.mutable_run()->set_epoch(7);
    response.mutable_run()->set_state(v1::Run::STATE_QUEUED);
    co_return response;
  }

  static rpc::Async<v1::AcceptInvitationResponse> Accept(
      v1::AcceptInvitationRequest request) {
    v1::AcceptInvitationResponse response;
    response.set_token("for " + request.secret());
    co_return response;
  }

  rpc::Async<void> Watch(v1::WatchRunRequest request,
                         rpc::StreamWriter<v1::WatchRunResponse> writer) {
    // Destroyed when the coroutine ends, or is cancelled where it waits.
    struct Mark {
      FakeMethods& methods;
      ~Mark() {
        if (!std::exchange(methods.ended_once_, true))
          methods.watch_ended.set_value();
      }
    } const mark{*this};
    const std::int64_t count = request.after_sequence();
    for (std::int64_t i = 0; i < count; ++i) {
      v1::WatchRunResponse response;
      response.set_snapshot_sequence(i);
      response.mutable_snapshot()->set_commit(std::string(1000, 'x'));
      const Status written = co_await writer.Write(std::move(response));
      if (!written) co_return written;
    }
    if (request.name() == "runs/hang") {
      boost::asio::steady_timer timer(strand_, std::chrono::hours(1));
      co_await timer.async_wait(boost::asio::use_awaitable);
    }
    if (request.name() == "runs/none") co_return NotFound("no run none");
    co_return Status();
  }

  boost::asio::any_io_executor strand_;
  bool ended_once_ = false;
  rpc::MethodRegistry registry_;
};

}  // namespace assay::gateway

#endif  // ASSAY_TESTS_SERVICES_GATEWAY_FAKE_METHODS_H_
