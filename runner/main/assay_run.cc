// Executes one plan. Started by assay-runner with everything that it may
// touch: the plan, a session of the launcher, a pipe to report to. Every parser
// of bytes that come out of cells runs in this process, so it gives up all else
// before the first of them arrives.

#include <curl/curl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <cstdio>
#include <string>

#include "assay/runner/v1/run_input.pb.h"
#include "proto/base/fault_point.h"
#include "runner/main/confinement.h"
#include "runner/run/event_writer.h"
#include "runner/run/execute.h"
#include "runner/wires/spawn.h"
#include "sandbox/cell/session.h"

namespace {

using assay::Expected;
using assay::runner::v1::RunInput;
using assay::sandbox::UniqueFd;

Expected<RunInput> ReadInput(int fd) {
  // A memfd's offset is wherever its writer left it.
  lseek(fd, 0, SEEK_SET);
  RunInput input;
  if (!input.ParseFromFileDescriptor(fd)) {
    return assay::InvalidArgument("descriptor ", fd,
                                  " does not hold a RunInput");
  }
  return input;
}

boost::asio::awaitable<void> Run(const RunInput& input,
                                 assay::sandbox::Session& session,
                                 assay::run::EventWriter& writer,
                                 assay::run::Given given,
                                 boost::asio::io_context& io) {
  co_await assay::run::Execute(input, session, writer, std::move(given));
  // What still waits for cells would only hold the exit up.
  io.stop();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Executes one assessment plan for assay-runner", "assay-run");
  int input_fd = -1;
  int session_fd = -1;
  int report_fd = -1;
  int egress_fd = -1;
  int sidecars_fd = -1;
  app.add_option("--input-fd", input_fd, "Holds the serialised RunInput")
      ->required();
  app.add_option("--session-fd", session_fd, "A session of assay-launcher")
      ->required();
  app.add_option("--report-fd", report_fd, "Takes length-delimited RunEvents")
      ->required();
  app.add_option("--egress-fd", egress_fd,
                 "A socket to an assay-egress for the plan's list");
  app.add_option("--sidecars-fd", sidecars_fd,
                 "Holds the plan's sidecars, which run already");
  CLI11_PARSE(app, argc, argv);

  signal(SIGPIPE, SIG_IGN);
  // A crash is this run's alone, and its core would hold secrets.
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);

  if (const auto armed = assay::ArmFaultPoint(); !armed) {
    std::fprintf(stderr, "assay-run: %s\n", armed.error().message.c_str());
    return 2;
  }
  auto input = ReadInput(input_fd);
  close(input_fd);
  if (!input) {
    std::fprintf(stderr, "assay-run: %s\n", input.error().message.c_str());
    return 2;
  }
  assay::ReachFaultPoint("run.begun");
  // It reads its configuration now, while it may.
  curl_global_init(CURL_GLOBAL_DEFAULT);
  // On the author's own machine, against the author's own server, sockets are
  // made in this process, which a confined one may not do.
  const bool at_url = !input->against_url().empty();
  if (const auto confined = at_url ? assay::Status{} : assay::main::Confine();
      !confined) {
    std::fprintf(stderr, "assay-run: %s\n", confined.error().message.c_str());
    return 2;
  }
  assay::ReachFaultPoint("run.confined");
  boost::asio::io_context io(1);
  assay::run::EventWriter writer(io.get_executor(), UniqueFd(report_fd),
                                 input->epoch());
  assay::sandbox::Session session{UniqueFd(session_fd)};
  assay::wires::Spawn(
      io.get_executor(),
      Run(*input, session, writer,
          {.egress = UniqueFd(egress_fd), .sidecars = UniqueFd(sidecars_fd)},
          io));
  io.run();
  const auto flushed = writer.Flush();
  if (!flushed) {
    std::fprintf(stderr, "assay-run: %s\n", flushed.error().message.c_str());
    return 3;
  }
  assay::ReachFaultPoint("run.told");
  return 0;
}
