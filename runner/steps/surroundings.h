#ifndef ASSAY_RUNNER_STEPS_SURROUNDINGS_H_
#define ASSAY_RUNNER_STEPS_SURROUNDINGS_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "assay/plan/v1/plan.pb.h"
#include "proto/base/error.h"
#include "runner/sidecars/redis_reply.h"
#include "runner/steps/http_client.h"
#include "runner/steps/observations.h"
#include "runner/telemetry/reports.h"
#include "runner/telemetry/trace_context.h"
#include "runner/wires/network.h"
#include "runner/wires/postgres_client.h"

namespace assay::steps {

// A port in a cell's network.
struct Place {
  wires::Network* network = nullptr;
  std::uint16_t port = 0;
};

// What a `command` step wants of its cell.
struct CommandWanted {
  // Of the plan's commands, by position.
  int index = 0;
  // The work directory has to be filled first.
  bool fill = false;
  // Reports: the standard output, or files.
  bool output = false;
  bool files = false;
  // Of the command alone; 0: the deadline only.
  std::chrono::milliseconds limit{0};
};

// How a command went.
struct CommandRun {
  // "exited with code 3".
  std::string ending;
  std::optional<int> exit_code;
  bool timed_out = false;
  // It could not be started, through our fault.
  bool ours = false;
  std::chrono::milliseconds took{0};
  std::string last_words;
  // By name, in the order of their names.
  std::vector<std::pair<std::string, std::string>> reports;
  // Why there are none though there could be.
  std::string report_problem;
};

// What steps act on: the candidate's services and the sidecars, wherever they
// run. Names are those of the plan; empty means the first service.
//
// Threads: confined to the run's thread.
// Errors: NOT_FOUND for a name that is not there; everything else is ours.
class Surroundings {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  virtual ~Surroundings() = default;

  virtual Expected<HttpClient*> Http(std::string_view service,
                                     std::string_view port) = 0;
  // Where a port of a service is.
  virtual Expected<Place> At(std::string_view service,
                             std::string_view port) = 0;
  // Runs one statement, read-only, on a sidecar itself, not through its wire.
  virtual boost::asio::awaitable<Expected<wires::SqlResult>> Sql(
      std::string target, std::string statement,
      std::vector<std::optional<std::string>> args, Deadline deadline) = 0;

  // The plan of a statement as PostgreSQL's EXPLAIN tells it in JSON, with the
  // rights of the service and without running it. Without `args`, a plan for
  // any. What the server refuses is in the result.
  virtual boost::asio::awaitable<Expected<wires::SqlResult>> Explain(
      std::string target, std::string statement,
      std::optional<std::vector<std::optional<std::string>>> args,
      std::size_t parameters, Deadline deadline) = 0;

  // Sends one command to a Redis sidecar itself.
  virtual boost::asio::awaitable<Expected<sidecars::RedisReply>> Redis(
      std::string target, std::vector<std::string> arguments,
      Deadline deadline) = 0;

  // Runs one of the plan's commands in a cell of its own, wired to services and
  // sidecars, until the deadline at most.
  virtual boost::asio::awaitable<Expected<CommandRun>> RunCommand(
      CommandWanted wanted, Deadline deadline) = 0;

  // Runs the command of a `mutants` step against the reference (-1) or one of
  // its variants instead of the candidate's service, with sidecars of their
  // own. FAILED_PRECONDITION, the author's fault: it does not come up.
  virtual boost::asio::awaitable<Expected<CommandRun>> RunAgainst(
      int variant, CommandWanted wanted, Deadline deadline) = 0;

  // The author's reference solution, built and ready, with sidecars of its own,
  // while the object lives: of the plan's commands the one at `index`.
  // FAILED_PRECONDITION, the author's fault: it does not come up.
  virtual boost::asio::awaitable<Expected<std::unique_ptr<Surroundings>>>
  Reference(int index, Deadline deadline) = 0;

  // How the service ended, "exited with code 3", if it did. Waits a moment for
  // the news, because a connection breaks before its process is reaped.
  virtual boost::asio::awaitable<std::optional<std::string>> DeathOf(
      std::string service) = 0;

  // Everything that services wrote so far to "stdout" or "stderr", with what
  // is still in the pipe, or reported as logs ("otlp") or as attributes of
  // spans
  // ("span-attributes"); secrets and all.
  virtual std::string Output(std::string_view source) = 0;

  // What the service reported last of a metric.
  virtual telemetry::Reports::Sum Metric(
      const std::string& name,
      const std::map<std::string, std::string>& labels) = 0;

  // What the wires have seen in this check.
  virtual Observations& observations() = 0;

  // Kills a sidecar or service as with SIGKILL, starts it again and waits until
  // it is ready. An error says what did not come up: the candidate's doing for
  // a service, ours for a sidecar.
  virtual boost::asio::awaitable<Status> Kill(std::string target) = 0;
  virtual boost::asio::awaitable<Status> Heal(std::string target,
                                              Deadline deadline) = 0;
  // Begins any fault, until its time is up, it is healed or the check ends; its
  // span stands below `below`. INVALID_ARGUMENT: the target cannot do that.
  virtual boost::asio::awaitable<Status> Disturb(
      assay::plan::v1::FaultStep fault, telemetry::TraceContext below) = 0;
  // While more comes than anybody reads, taps record a sample.
  virtual void SetUnderLoad(bool under_load) = 0;
  // Waits until the service has reported something, or for the deadline.
  virtual boost::asio::awaitable<void> WaitForReports(Deadline deadline) = 0;
};

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_SURROUNDINGS_H_
