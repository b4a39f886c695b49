#include "services/runs/run_service.h"

#include <memory>
#include <string>
#include <utility>

#include "services/rpc/resource_name.h"

namespace assay::runs {
namespace {

// An empty name is a filter that lets all through.
Expected<storage::RunFilter> ParseFilter(const std::string& attempt,
                                         const std::string& assignment) {
  storage::RunFilter filter;
  if (!attempt.empty()) {
    ASSAY_ASSIGN_OR_RETURN(filter.attempt,
                           rpc::ParseName<AttemptId>("attempts", attempt));
  }
  if (!assignment.empty()) {
    ASSAY_ASSIGN_OR_RETURN(filter.assignment, rpc::ParseName<AssignmentId>(
                                                  "assignments", assignment));
  }
  return filter;
}

RunReader::Detail DetailOf(const v1::WatchRunRequest& request) {
  using Detail = RunReader::Detail;
  if (request.results_only()) return Detail::kResults;
  return request.without_spans() ? Detail::kNoSpans : Detail::kAll;
}

}  // namespace

RunService::RunService(RunReader& reader, RunFeed& feed)
    : reader_(reader), feed_(feed) {}

void RunService::Register(rpc::MethodRegistry& registry) {
  registry.Unary<v1::GetRunRequest, v1::GetRunResponse>(
      "assay.v1.RunService/GetRun",
      [this](rpc::CallContext context, v1::GetRunRequest request) {
        return GetRun(std::move(context), std::move(request));
      });
  registry.Unary<v1::ListRunsRequest, v1::ListRunsResponse>(
      "assay.v1.RunService/ListRuns",
      [this](rpc::CallContext context, v1::ListRunsRequest request) {
        return ListRuns(std::move(context), std::move(request));
      });
  registry.ServerStream<v1::WatchRunRequest, v1::WatchRunResponse>(
      "assay.v1.RunService/WatchRun",
      [this](rpc::CallContext context, v1::WatchRunRequest request,
             rpc::StreamWriter<v1::WatchRunResponse> writer) {
        return WatchRun(std::move(context), std::move(request), writer);
      });
  registry.ServerStream<v1::WatchRunsRequest, v1::WatchRunsResponse>(
      "assay.v1.RunService/WatchRuns",
      [this](rpc::CallContext context, v1::WatchRunsRequest request,
             rpc::StreamWriter<v1::WatchRunsResponse> writer) {
        return WatchRuns(std::move(context), std::move(request), writer);
      });
}

Async<v1::GetRunResponse> RunService::GetRun(rpc::CallContext context,
                                             v1::GetRunRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(const RunId run,
                            rpc::ParseName<RunId>("runs", request.name()));
  v1::GetRunResponse response;
  ASSAY_CO_ASSIGN_OR_RETURN(*response.mutable_run(),
                            co_await reader_.Get(context.caller, run));
  co_return response;
}

Async<v1::ListRunsResponse> RunService::ListRuns(rpc::CallContext context,
                                                 v1::ListRunsRequest request) {
  std::string attempt = request.attempt();
  if (attempt == "attempts/me")
    attempt = rpc::FormatName("attempts", context.caller.attempt);
  ASSAY_CO_ASSIGN_OR_RETURN(const storage::RunFilter filter,
                            ParseFilter(attempt, request.assignment()));
  ASSAY_CO_ASSIGN_OR_RETURN(
      storage::PageOf<v1::Run> page,
      co_await reader_.List(context.caller, filter,
                            {request.page_size(), request.page_token()}));
  v1::ListRunsResponse response;
  for (v1::Run& run : page.items) *response.add_runs() = std::move(run);
  response.set_next_page_token(page.next_token);
  co_return response;
}

Async<void> RunService::WatchRun(
    rpc::CallContext context, v1::WatchRunRequest request,
    rpc::StreamWriter<v1::WatchRunResponse> writer) {
  ASSAY_CO_ASSIGN_OR_RETURN(const RunId run,
                            rpc::ParseName<RunId>("runs", request.name()));
  co_return co_await reader_.Watch(
      context.caller, run,
      {.after_sequence = request.after_sequence(), .detail = DetailOf(request)},
      // Not a coroutine itself, so it may capture.
      [&writer](v1::WatchRunResponse response) {
        return writer.Write(std::move(response));
      });
}

Async<void> RunService::WatchRuns(
    rpc::CallContext context, v1::WatchRunsRequest request,
    rpc::StreamWriter<v1::WatchRunsResponse> writer) {
  ASSAY_CO_ASSIGN_OR_RETURN(const storage::RunFilter filter,
                            ParseFilter("", request.assignment()));
  const std::unique_ptr<RunFeed::ListWatch> watch = feed_.WatchStates();
  bool all = true;
  for (;;) {
    if (all) {
      ASSAY_CO_ASSIGN_OR_RETURN(
          storage::PageOf<v1::Run> newest,
          co_await reader_.List(context.caller, filter, storage::Page()));
      v1::WatchRunsResponse snapshot;
      for (v1::Run& run : newest.items) *snapshot.add_runs() = std::move(run);
      ASSAY_CO_RETURN_IF_ERROR(co_await writer.Write(std::move(snapshot)));
    }
    const Expected<RunFeed::ListWatch::Changes> changed =
        co_await watch->Next();
    all = !changed && changed.error().code == Code::kUnavailable;
    if (all) continue;
    if (!changed) co_return std::unexpected(changed.error());
    v1::WatchRunsResponse update;
    for (const RunId& id : changed->runs) {
      ASSAY_CO_ASSIGN_OR_RETURN(v1::Run run,
                                co_await reader_.Get(context.caller, id));
      if (request.assignment().empty() ||
          run.assignment() == request.assignment())
        *update.add_runs() = std::move(run);
    }
    if (update.runs().empty() && !changed->others) continue;
    ASSAY_CO_RETURN_IF_ERROR(co_await writer.Write(std::move(update)));
  }
}

}  // namespace assay::runs
