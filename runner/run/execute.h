#ifndef ASSAY_RUNNER_RUN_EXECUTE_H_
#define ASSAY_RUNNER_RUN_EXECUTE_H_

#include <boost/asio/awaitable.hpp>

#include "assay/runner/v1/run_input.pb.h"
#include "runner/telemetry/event_sink.h"
#include "sandbox/cell/session.h"
#include "sandbox/cell/unique_fd.h"

namespace assay::run {

// What the worker has made ready beside the cells.
struct Given {
  // A socket to an assay-egress for the plan's list, where it has one.
  sandbox::UniqueFd egress = {};
  // Of sidecars::HandOver, where the plan's sidecars run already.
  sandbox::UniqueFd sidecars = {};
};

// One run from the beginning to the end: sidecars beside unpacking and
// building, services, readiness, checks. Tells everything to `sink`, `finished`
// last, whatever happens.
//
// Ownership: borrows the others for as long as it runs.
// Threads: runs on the caller's executor.
boost::asio::awaitable<void> Execute(const assay::runner::v1::RunInput& input,
                                     sandbox::Session& session,
                                     telemetry::EventSink& sink,
                                     Given given = {});

}  // namespace assay::run

#endif  // ASSAY_RUNNER_RUN_EXECUTE_H_
