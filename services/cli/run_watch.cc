#include "services/cli/run_watch.h"

#include "assay/v1/run_service.grpc.pb.h"
#include "services/cli/resource_name.h"
#include "services/cli/run_view.h"

namespace assay::cli {
namespace {

using Stub = v1::RunService::Stub;

// Follows the run to its end, over lost connections: the server continues
// after the last event that was seen.
class Watcher {
 public:
  Watcher(Context& context, const RunWatchOptions& options)
      : context_(context),
        server_(context.ServerFor(options.whose)),
        view_(context.console(), {.logs = options.logs}) {
    request_.set_name(FullName("runs", options.name));
    request_.set_results_only(!options.logs && !context.console().json());
  }

  Outcome Watch() {
    constexpr int kMostTries = 30;
    int failures = 0;
    while (!finished_) {
      const std::int64_t before = request_.after_sequence();
      const Status status = ReadStream();
      if (finished_) break;
      // A server that never answered is not one that was lost.
      const bool lost =
          !status && status.error().code == Code::kUnavailable && seen_;
      if (!lost && !status) return std::unexpected(status.error());
      failures = request_.after_sequence() > before ? 1 : failures + 1;
      if (failures > kMostTries) {
        return Unavailable(
            "the run cannot be followed any more; see it with: "
            "assay run show ",
            ShortName(request_.name()));
      }
      if (failures == 2)
        context_.console().Note("lost the server; trying again");
      server_.WaitUntilBack();
    }
    ASSAY_ASSIGN_OR_RETURN(const v1::Run run, GetRun(server_, request_.name()));
    return ExitCodeOf(run);
  }

 private:
  Status ReadStream() {
    return server_.Watch(&Stub::WatchRun, request_,
                         [this](const v1::WatchRunResponse& response) {
                           Show(response);
                           return !finished_;
                         });
  }

  void Show(const v1::WatchRunResponse& response) {
    seen_ = true;
    Console& console = context_.console();
    if (console.json()) console.JsonLine(response);
    if (response.has_snapshot()) {
      request_.set_after_sequence(response.snapshot_sequence());
      if (!console.json()) view_.OnSnapshot(response.snapshot());
      finished_ = Ended(response.snapshot().state());
    } else {
      request_.set_after_sequence(response.event().sequence());
      if (!console.json()) view_.OnEvent(response.event());
      finished_ = response.event().has_state_changed() &&
                  Ended(response.event().state_changed().state());
    }
  }

  static bool Ended(v1::Run::State state) {
    return state == v1::Run::STATE_FINISHED ||
           state == v1::Run::STATE_SUPERSEDED;
  }

  Context& context_;
  Server& server_;
  v1::WatchRunRequest request_;
  RunView view_;
  bool seen_ = false;
  bool finished_ = false;
};

}  // namespace

Outcome WatchRun(Context& context, const RunWatchOptions& options) {
  return Watcher(context, options).Watch();
}

Expected<v1::Run> GetRun(Server& server, const std::string& name) {
  v1::GetRunRequest request;
  request.set_name(FullName("runs", name));
  ASSAY_ASSIGN_OR_RETURN(auto response, server.Call(&Stub::GetRun, request));
  return std::move(*response.mutable_run());
}

}  // namespace assay::cli
