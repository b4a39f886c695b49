#include <fmt/format.h>

#include <cmath>
#include <map>

#include "assay/v1/worker_service.grpc.pb.h"
#include "runner/suite/units.h"
#include "services/cli/command_line.h"
#include "services/cli/confirm.h"
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
struct RevokeOptions {
  std::string name;
  bool yes = false;
};
struct EnrolOptions {
  std::string name;
  std::string valid;
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

std::string ClockText(std::chrono::nanoseconds ahead) {
  return fmt::format("its clock is {:.1f} s {} the server's: set both by NTP",
                     std::abs(std::chrono::duration<double>(ahead).count()),
                     ahead.count() > 0 ? "ahead of" : "behind");
}

// Why it gets no runs, or what could lead there.
std::string ReasonText(const v1::Worker& worker) {
  if (worker.state() == v1::Worker::STATE_DRAINED)
    return "by " + worker.actor() +
           (worker.reason().empty() ? "" : ": " + worker.reason());
  // Nothing that mends it is seen from here.
  if (worker.state() == v1::Worker::STATE_QUARANTINED)
    return worker.reason() + "; mend it, then `assay worker resume " +
           ShortName(worker.name()) + "`";
  if (!worker.reason().empty()) return worker.reason();
  if (worker.has_clock_ahead())
    return ClockText(FromProto(worker.clock_ahead()));
  if (worker.fault_count() == 0) return {};
  return fmt::format("{} fault{}, last: {}", worker.fault_count(),
                     worker.fault_count() == 1 ? "" : "s", worker.last_fault());
}

std::string LabelsText(const v1::Worker& worker) {
  std::string text = worker.pool();
  const std::map<std::string, std::string> labels(worker.labels().begin(),
                                                  worker.labels().end());
  for (const auto& [key, value] : labels)
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", key, value);
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
         TimeText(worker.attach_time()),
         TimeText(worker.certificate_expire_time()),
         Printable(ReasonText(worker))});
  console.Table({"WORKER", "STATE", "BUSY", "CORES", "MEMORY", "POOL, LABELS",
                 "VERSION", "ATTACHED", "CERTIFICATE UNTIL", "WHY"},
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

Outcome Enrol(Context& context, const EnrolOptions& options) {
  v1::PermitEnrolmentRequest request;
  request.set_name(FullName("workers", options.name));
  if (!options.valid.empty()) {
    ASSAY_ASSIGN_OR_RETURN(const auto valid,
                           suite::ParseDuration(options.valid));
    *request.mutable_valid_duration() = ToProto(valid);
  }
  ASSAY_ASSIGN_OR_RETURN(
      const auto response,
      context.server().Call(&Stub::PermitEnrolment, request));
  Console& console = context.console();
  if (console.json()) {
    console.Json(response);
    return kSuccess;
  }
  console.Fields({{"token", response.token()},
                  {"good until", TimeText(response.expire_time())}});
  console.Line(
      "It is shown once, and good once. On the worker's machine:\n"
      "  assay-runner --coordinator HOST:PORT --enrol " +
      response.token());
  return kSuccess;
}

Outcome Revoke(Context& context, const RevokeOptions& options) {
  ASSAY_RETURN_IF_ERROR(
      Confirm("End the certificate of " + options.name +
                  "? It is sent away at once and comes back only by another "
                  "token; what it holds is given to others.",
              options.yes, WithoutTerminal::kRefuse));
  v1::RevokeWorkerRequest request;
  request.set_name(FullName("workers", options.name));
  ASSAY_ASSIGN_OR_RETURN(const auto response,
                         context.server().Call(&Stub::RevokeWorker, request));
  if (context.console().json())
    context.console().Json(response);
  else
    context.console().Line(options.name +
                           " has no certificate any more; what it held is "
                           "given to others");
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
      group, "resume", "Give runs to a worker that was drained or set aside",
      "  assay worker resume builder-2", Resume);
  resume.app.add_option("name", resume.options->name, "Worker")->required();
  auto enrol = line.Add<EnrolOptions>(
      group, "enrol",
      "Make a token with which one machine becomes this worker, over TLS",
      "  assay worker enrol builder-2\n  assay worker enrol builder-2 --valid "
      "10m",
      Enrol);
  enrol.app.add_option("name", enrol.options->name, "What it will be called")
      ->required();
  enrol.app.add_option("--valid", enrol.options->valid,
                       "For how long the token can be used [1h]");
  auto revoke =
      line.Add<RevokeOptions>(group, "revoke",
                              "End a worker's certificate: it is sent away at "
                              "once and cannot come back",
                              "  assay worker revoke builder-2\n"
                              "  assay worker revoke builder-2 --yes",
                              Revoke);
  revoke.app.add_option("name", revoke.options->name, "Worker")->required();
  revoke.app.add_flag("--yes", revoke.options->yes, "Do not ask");
  auto forget = line.Add<NameOptions>(
      group, "forget", "Leave a worker that is gone out of the list",
      "  assay worker forget builder-2", Forget);
  forget.app.add_option("name", forget.options->name, "Worker")->required();
}

}  // namespace assay::cli
