#ifndef ASSAY_SERVICES_ATTEMPTS_CLOCK_SERVICE_H_
#define ASSAY_SERVICES_ATTEMPTS_CLOCK_SERVICE_H_

#include <functional>
#include <string>

#include "assay/v1/attempt_service.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "services/attempts/clock_changes.h"
#include "services/rpc/method_registry.h"
#include "services/storage/store.h"

namespace assay::attempts {

using rpc::Async;

// The methods of assay.v1.AttemptService that change clocks. Each change is
// one version of the clock, with an event and an audit record that say why.
//
// Ownership: borrows store and clock.
// Threads: confined to the coordinator's strand.
class ClockService {
 public:
  // `on_clock_changed` is called after each commit that moved a clock: the
  // deadline's wake-up; `on_changed` for each attempt whose clock it was.
  ClockService(storage::Store& store, const Clock& clock,
               std::function<void()> on_clock_changed, std::string base_url,
               std::function<void(const AttemptId&)> on_changed = {});
  void Register(rpc::MethodRegistry& registry);

 private:
  // The rule that makes the next version of a clock.
  using Rule = std::function<Expected<ClockRecord>(const ClockRecord&,
                                                   Clock::TimePoint now)>;

  Async<v1::ExtendAttemptResponse> Extend(rpc::CallContext context,
                                          v1::ExtendAttemptRequest request);
  Async<v1::PauseAttemptResponse> Pause(rpc::CallContext context,
                                        v1::PauseAttemptRequest request);
  Async<v1::ResumeAttemptResponse> Resume(rpc::CallContext context,
                                          v1::ResumeAttemptRequest request);
  Async<v1::SetAccommodationResponse> SetAccommodation(
      rpc::CallContext context, v1::SetAccommodationRequest request);
  Async<v1::CreditOutageResponse> CreditOutage(rpc::CallContext context,
                                               v1::CreditOutageRequest request);

  Async<v1::PauseAttemptsResponse> PauseAll(rpc::CallContext context,
                                            v1::PauseAttemptsRequest request);
  Async<v1::ResumeAttemptsResponse> ResumeAll(
      rpc::CallContext context, v1::ResumeAttemptsRequest request);

  // Applies `rule` to every clock of an assignment that admits it, once per
  // request id.
  template <class Response, class Request>
  Async<Response> ChangeAll(rpc::CallContext context, Request request,
                            std::string method, ClockChange change, Rule rule);
  // Applies `rule` to the attempt that `request` names, once per request id.
  template <class Response, class Request>
  Async<Response> Change(rpc::CallContext context, Request request,
                         std::string method, ClockChange change, Rule rule);

  storage::Store& store_;
  const Clock& clock_;
  const std::function<void()> on_clock_changed_;
  const std::string base_url_;
  const std::function<void(const AttemptId&)> on_changed_;
};

}  // namespace assay::attempts

#endif  // ASSAY_SERVICES_ATTEMPTS_CLOCK_SERVICE_H_
