#include <fmt/format.h>

#include <map>

#include "assay/v1/worker_service.grpc.pb.h"
#include "services/cli/command_line.h"
#include "services/cli/printable.h"
#include "services/cli/resource_name.h"
#include "services/cli/time_text.h"

namespace assay::cli {
namespace {

using Stub = v1::WorkerService::Stub;

struct NoOptions {};
struct DrainOptions {
  std::string name;
  std::string reason;
};
struct NameOptions {
  std::string name;
};

std::string StateText(const v1::Worker& worker) {
  switch (worker.state()) {
    case v1::Worker::STATE_DRAINED:
      return worker.busy() > 0 ? "draining" : "drained";
    case v1::Worker::STATE_QUARANTINED:
      return "set aside";
    default:
      return worker.attached() ? "active" : "away";
  }
}

// Why it gets no runs, or what could lead there.
std::string ReasonText(const v1::Worker& worker) {
  if (worker.state() == v1::Worker::STATE_DRAINED)
    return "by " + worker.actor() +
           (worker.reason().empty() ? "" : ": " + worker.reason());
  if (!worker.reason().empty()) return worker.reason();
  if (worker.fault_count() == 0) return {};
  return fmt::format("{} fault{}, last: {}", worker.fault_count(),
                     worker.fault_count() == 1 ? "" : "s", worker.last_fault());
}

std::string LabelsText(const v1::Worker& worker) {
  std::string text = worker.pool();
  const std::map<std::string, std::string> labels(worker.labels().begin(),
                                                  worker.labels().end());
  for (const auto& [key, value] : labels)
    text += (text.empty() ? "" : ", ") + key + "=" + value;
  return text.empty() ? "-" : text;
}

Outcome List(Context& context, const NoOptions&) {
  ASSAY_ASSIGN_OR_RETURN(
      const auto all,
      context.server().Call(&Stub::ListWorkers, v1::ListWorkersRequest()));
  Console& console = context.console();
  if (console.json()) {
    console.Json(all);
    return kSuccess;
  }
  if (all.workers().empty()) {
    console.Line(
        "no worker has attached yet; `assay up` starts one, and "
        "`assay-runner --help` says how to start more");
    return kSuccess;
  }
  std::vector<std::vector<std::string>> rows;
  for (const v1::Worker& worker : all.workers())
    rows.push_back(
        {ShortName(worker.name()), StateText(worker),
         worker.attached()
             ? fmt::format("{} of {}", worker.busy(), worker.slots())
             : "-",
         std::to_string(worker.cores()),
         fmt::format("{:.1f} GiB",
                     static_cast<double>(worker.memory_bytes()) / (1 << 30)),
         Printable(LabelsText(worker)), Printable(worker.version()),
         TimeText(worker.attach_time()), Printable(ReasonText(worker))});
  console.Table({"WORKER", "STATE", "BUSY", "CORES", "MEMORY", "POOL, LABELS",
                 "VERSION", "ATTACHED", "WHY"},
                rows);
  return kSuccess;
}

void Show(Context& context, const v1::Worker& worker, const std::string& line) {
  if (context.console().json())
    context.console().Json(worker);
  else
    context.console().Line(line);
}

Outcome Drain(Context& context, const DrainOptions& options) {
  v1::DrainWorkerRequest request;
  request.set_name(FullName("workers", options.name));
  request.set_reason(options.reason);
  ASSAY_ASSIGN_OR_RETURN(const auto response,
                         context.server().Call(&Stub::DrainWorker, request));
  const v1::Worker& worker = response.worker();
  const std::string name = ShortName(worker.name());
  Show(context, worker,
       worker.busy() > 0
           ? fmt::format(
                 "{} finishes {} and gets no more runs; `assay worker "
                 "resume {}` undoes it",
                 name,
                 worker.busy() == 1
                     ? "the run that it holds"
                     : fmt::format("the {} runs that it holds", worker.busy()),
                 name)
           : fmt::format("{} holds nothing and gets no more runs; `assay "
                         "worker resume {}` undoes it",
                         name, name));
  return kSuccess;
}

Outcome Resume(Context& context, const NameOptions& options) {
  v1::ResumeWorkerRequest request;
  request.set_name(FullName("workers", options.name));
  ASSAY_ASSIGN_OR_RETURN(const auto response,
                         context.server().Call(&Stub::ResumeWorker, request));
  const v1::Worker& worker = response.worker();
  Show(context, worker,
       ShortName(worker.name()) +
           (worker.attached() ? " gets runs" : " gets runs once it attaches"));
  return kSuccess;
}

Outcome Forget(Context& context, const NameOptions& options) {
  v1::ForgetWorkerRequest request;
  request.set_name(FullName("workers", options.name));
  ASSAY_ASSIGN_OR_RETURN(const auto response,
                         context.server().Call(&Stub::ForgetWorker, request));
  if (context.console().json())
    context.console().Json(response);
  else
    context.console().Line(options.name + " is forgotten");
  return kSuccess;
}

}  // namespace

void AddWorkerCommands(CommandLine& line) {
  CLI::App& group =
      line.Group(line.app(), "worker", "The machines that execute runs");
  line.Add<NoOptions>(group, "list",
                      "Every worker: what it does, and why it gets no runs",
                      "  assay worker list\n  assay worker list --json", List);
  auto drain = line.Add<DrainOptions>(
      group, "drain",
      "Let a worker finish what it holds and give it no more runs, until it is "
      "resumed",
      "  assay worker drain builder-2 --reason 'new kernel'", Drain);
  drain.app.add_option("name", drain.options->name, "Worker")->required();
  drain.app.add_option("--reason", drain.options->reason,
                       "Shown to whoever wonders");
  auto resume = line.Add<NameOptions>(
      group, "resume",
      "Give runs to a worker that was drained or set aside after three faults",
      "  assay worker resume builder-2", Resume);
  resume.app.add_option("name", resume.options->name, "Worker")->required();
  auto forget = line.Add<NameOptions>(
      group, "forget", "Leave a worker that is gone out of the list",
      "  assay worker forget builder-2", Forget);
  forget.app.add_option("name", forget.options->name, "Worker")->required();
}

}  // namespace assay::cli
