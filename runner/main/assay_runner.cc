// assay-runner: takes runs from a coordinator (or one from the command line)
// and has each executed by an assay-run in cells of its own.
#include <poll.h>
#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "proto/base/clock.h"
#include "proto/base/fault_point.h"
#include "runner/suite/units.h"
#include "runner/worker/canary.h"
#include "runner/worker/identity.h"
#include "runner/worker/local_run.h"
#include "runner/worker/worker.h"
#include "runner/worker/workshop.h"
#include "sandbox/cell/launcher.h"

namespace assay::worker {
namespace {

struct Options {
  std::string coordinator;
  std::string token_file;
  std::string enrol;
  std::string ca_file;
  std::string name;
  std::string data_dir;
  std::string launcher;
  std::string run_program;
  std::string unpack_program;
  std::string image_dir;
  int slots = 0;
  int cores = 0;
  std::string memory;
  std::string pool;
  std::vector<std::string> labels;
  int drain_seconds = 30;
  std::string plan_file;
  std::string tree;
  std::string against_url;
  std::vector<std::string> checks;
  bool local = false;
  bool allow_private_egress = false;
  bool public_only = false;
};

std::string Sibling(const std::string& name) {
  std::error_code failed;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", failed);
  return failed ? name : (self.parent_path() / name).string();
}

// Worker names have no other characters; a host's name has none either, as a
// rule.
std::string HostName() {
  std::array<char, 64> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return {};
  std::string plain;
  for (const char c : std::string_view(name.data()))
    plain += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' ||
                     ((c == '.' || c == '-') && !plain.empty())
                 ? c
                 : 'x';
  return plain;
}

// Where a local run keeps database templates between runs.
std::string CacheDirectory() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache)
    return std::string(cache) + "/assay";
  if (const char* home = std::getenv("HOME"); home && *home)
    return std::string(home) + "/.cache/assay";
  return "/tmp/assay-" + std::to_string(geteuid());
}

Status MakeDataDirectory(const std::string& directory) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed)
    return FailedPrecondition("cannot make the data directory ", directory,
                              ": ", failed.message(),
                              "; choose another with --data-dir");
  return {};
}

// What runs may use together unless somebody says otherwise. A suite's limit is
// two processors where it says nothing, so that many belong to each slot, also
// on a machine that has fewer.
int DefaultCores(int slots) {
  return std::max(static_cast<int>(std::thread::hardware_concurrency()),
                  2 * slots);
}

// A machine that was sold with 2 GiB tells of a little less.
std::int64_t MemoryOfTheMachine() {
  constexpr std::int64_t kGibibyte = std::int64_t{1} << 30;
  const std::int64_t bytes =
      std::int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  return (bytes + kGibibyte - 1) / kGibibyte * kGibibyte;
}

Expected<std::map<std::string, std::string>> ParseLabels(
    const std::vector<std::string>& texts) {
  std::map<std::string, std::string> labels;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos)
      return InvalidArgument("--label ", text,
                             " has no `=`, expected KEY=VALUE");
    if (!labels.emplace(text.substr(0, equals), text.substr(equals + 1)).second)
      return InvalidArgument("--label ", text,
                             ": the key is there twice, expected once");
  }
  return labels;
}

Expected<std::unique_ptr<CellWorkshop>> OpenWorkshop(const Options& options) {
  ASSAY_RETURN_IF_ERROR(MakeDataDirectory(options.data_dir));
  // Before there is any thread, and before anything is known that a launcher
  // should not inherit.
  ASSAY_ASSIGN_OR_RETURN(sandbox::Launcher launcher,
                         sandbox::Launcher::Spawn(options.launcher));
  for (const std::string& weakness :
       sandbox::DescribeWeaknesses(launcher.weaker()))
    spdlog::warn("this host enforces less: {}", weakness);
  return std::make_unique<CellWorkshop>(
      std::move(launcher),
      WorkshopPlaces{.data_dir = options.data_dir,
                     .image_dir = options.image_dir,
                     .unpack_program = options.unpack_program,
                     .image_program = Sibling("assay-image"),
                     .egress_program = Sibling("assay-egress"),
                     // The suite of a local run is its caller's.
                     .allow_private_egress =
                         options.local || options.allow_private_egress});
}

Status RunOnce(const Options& options) {
  RunOrder order{.run = "local",
                 .epoch = 1,
                 .seed = 1,
                 .public_only = options.public_only,
                 .only_checks = options.checks,
                 .tree = options.tree};
  std::ifstream in(options.plan_file, std::ios::binary);
  if (!in || !order.plan.ParseFromIstream(&in))
    return InvalidArgument("--plan ", options.plan_file,
                           " is no compiled plan (expected a serialised "
                           "assay.plan.v1.Plan, as `assay suite` makes it)");
  if (!options.against_url.empty()) {
    order.against_url = options.against_url;
    UrlWorkshop workshop;
    return RunLocally(workshop, options.run_program, order, STDOUT_FILENO);
  }
  ASSAY_ASSIGN_OR_RETURN(const auto workshop, OpenWorkshop(options));
  return RunLocally(*workshop, options.run_program, order, STDOUT_FILENO);
}

std::string IdentityFile(const Options& options) {
  return options.data_dir + "/identity.pem";
}

// Gets a certificate, unless there is one that is in force. A worker with one
// is called as that says.
Status EnrolIfAsked(Options& options) {
  if (!options.token_file.empty()) {
    if (options.name.empty()) options.name = HostName();
    return {};
  }
  const std::string file = IdentityFile(options);
  ASSAY_ASSIGN_OR_RETURN(auto identity, LoadIdentity(file));
  const auto now = SystemClock().Now();
  if (!options.enrol.empty() && (!identity || identity->expiry <= now)) {
    ASSAY_RETURN_IF_ERROR(MakeDataDirectory(options.data_dir));
    ASSAY_ASSIGN_OR_RETURN(
        identity, Enrol(options.coordinator, options.ca_file, options.enrol));
    ASSAY_RETURN_IF_ERROR(SaveIdentity(file, *identity));
    spdlog::info("enrolled as {}", identity->name);
  }
  if (!identity)
    return NotFound("there is no ", file, ": enrol this worker with --enrol");
  if (identity->expiry <= now)
    return FailedPrecondition(
        "this worker's certificate has expired: enrol it anew with `assay "
        "worker enrol ",
        identity->name, "` and --enrol TOKEN");
  if (!options.name.empty() && options.name != identity->name)
    return InvalidArgument("this worker is enrolled as ", identity->name,
                           ", and --name says ", options.name,
                           ": leave --name out");
  options.name = identity->name;
  return {};
}

// Why cells do not work here; empty: they do. What was killed once is tried
// again: to be set aside waits for a person.
Expected<std::string> ProveCells(CellWorkshop& workshop,
                                 const Options& options) {
  constexpr int kTries = 3;
  std::string unfit;
  for (int i = 0; i < kTries; ++i) {
    unfit = RunCanary(workshop, options.run_program, options.data_dir);
    if (unfit.empty()) break;
    pollfd launcher{.fd = workshop.launcher_pidfd(), .events = POLLIN};
    if (poll(&launcher, 1, 0) > 0)
      return Unavailable(
          "assay-launcher has died; its last words are above. Start the worker "
          "again");
  }
  return unfit;
}

Status Serve(Options& options) {
  ASSAY_ASSIGN_OR_RETURN(const auto labels, ParseLabels(options.labels));
  std::int64_t memory = MemoryOfTheMachine();
  if (!options.memory.empty()) {
    auto said = suite::ParseSize(options.memory);
    if (!said) return std::unexpected(said.error().Within("--memory"));
    memory = *said;
  }
  ASSAY_RETURN_IF_ERROR(EnrolIfAsked(options));
  ASSAY_ASSIGN_OR_RETURN(const auto workshop, OpenWorkshop(options));
  ASSAY_ASSIGN_OR_RETURN(const std::string unfit,
                         ProveCells(*workshop, options));
  if (!unfit.empty())
    spdlog::error("cells do not work here, so this worker will get no runs: {}",
                  unfit);
  boost::asio::io_context loop;
  Status end;
  ASSAY_ASSIGN_OR_RETURN(
      const auto worker,
      Worker::Make(
          loop.get_executor(), *workshop,
          {.coordinator = options.coordinator,
           .token_file = options.token_file,
           .ca_file = options.ca_file,
           .identity_file = IdentityFile(options),
           .name = options.name,
           .slots = options.slots,
           .cores = options.cores,
           .memory_bytes = memory,
           .pool = options.pool,
           .labels = labels,
           .unfit = unfit,
           .data_dir = options.data_dir,
           .run_program = options.run_program,
           .version = ASSAY_VERSION,
           .drain_timeout = std::chrono::seconds(options.drain_seconds)},
          {.on_ready =
               [&] {
                 // What `assay up` waits for.
                 std::printf("ready slots=%d\n", options.slots);
                 std::fflush(stdout);
               },
           .on_end =
               [&](Status status) {
                 end = std::move(status);
                 loop.stop();
               }}));
  boost::asio::signal_set signals(loop, SIGTERM, SIGINT);
  // SIGTERM drains; a second one, or Ctrl-C, hands back at once.
  std::function<void(boost::system::error_code, int)> on_signal =
      [&](boost::system::error_code cancelled, int signal) {
        if (cancelled) return;
        signals.async_wait(on_signal);
        if (signal == SIGTERM)
          worker->Drain();
        else
          worker->Stop();
      };
  signals.async_wait(on_signal);
  boost::asio::posix::stream_descriptor launcher_end(
      loop, dup(workshop->launcher_pidfd()));
  launcher_end.async_wait(
      boost::asio::posix::stream_descriptor::wait_read,
      [&](boost::system::error_code cancelled) {
        if (!cancelled)
          worker->Fail(Error{Code::kUnavailable,
                             "assay-launcher has died; its last words are "
                             "above. Start the worker again"});
      });
  worker->Start();
  loop.run();
  return end;
}

void AddOptions(CLI::App& app, Options& options) {
  app.description("Takes runs from a coordinator and executes them in cells.");
  app.add_option("--coordinator,--server", options.coordinator,
                 "host:port of a coordinator's gRPC side");
  app.add_option("--token-file", options.token_file,
                 "file with a worker's token");
  app.add_option("--enrol", options.enrol,
                 "a token of `assay worker enrol`, good once: makes this a "
                 "worker over TLS, whose key and certificate are kept in the "
                 "data directory")
      ->envname("ASSAY_ENROL");
  app.add_option("--ca", options.ca_file,
                 "certificates (PEM) that coordinators are trusted by "
                 "(default: the system's)")
      ->envname("ASSAY_CA");
  app.add_option("--name", options.name,
                 "what lists and `assay worker drain` call this worker: 1 to "
                 "63 of [A-Za-z0-9._-] (default: the host's name)");
  app.add_option("--slots", options.slots,
                 "runs at once (default: half the processors)")
      ->check(CLI::Range(1, 1024));
  app.add_option("--cores", options.cores,
                 "processors that runs may use together (default: the "
                 "machine's, and at least two for each slot)")
      ->check(CLI::Range(1, 4096));
  app.add_option("--memory", options.memory,
                 "memory that runs may use together, like 12GiB (default: the "
                 "machine's)");
  app.add_option("--pool", options.pool,
                 "take only the runs of assignments that name this pool "
                 "(default: of those that name none)");
  app.add_option("--label", options.labels,
                 "KEY=VALUE that an assignment may ask for; may be said again");
  app.add_option("--data-dir,--work-dir", options.data_dir,
                 "cache of packs and database templates");
  app.add_option("--image-dir", options.image_dir,
                 "OCI image layouts that suites may name "
                 "(default: layouts in the data directory)");
  app.add_flag("--allow-private-egress", options.allow_private_egress,
               "builds may reach private addresses where their suite says "
               "`private: true` (with --local they may)");
  app.add_option("--launcher", options.launcher,
                 "the program assay-launcher (default: beside this one)");
  app.add_option("--run", options.run_program,
                 "the program assay-run (default: beside this one)");
  app.add_option("--unpack", options.unpack_program,
                 "the program assay-unpack (default: beside this one)");
  app.add_option("--drain-timeout", options.drain_seconds,
                 "seconds that runs get to finish after SIGTERM")
      ->check(CLI::Range(0, 86'400));
  app.add_option("--local", options.tree,
                 "execute one run against this directory, without a "
                 "coordinator; events go to standard output")
      ->expected(0, 1);
  app.add_option("--tree", options.tree, "the directory for --local");
  app.add_option("--against-url", options.against_url,
                 "with --local: a server of this machine instead of a "
                 "directory, like http://localhost:3000");
  app.add_option("--plan", options.plan_file, "with --local: a compiled plan");
  app.add_option("--check", options.checks,
                 "with --local: only this check (repeatable)");
  app.add_flag("--public-only", options.public_only,
               "with --local: leave hidden checks out");
}

Status Complete(const CLI::App& app, Options& options) {
  options.local = app.count("--local") > 0;
  if (options.launcher.empty()) options.launcher = Sibling("assay-launcher");
  if (options.run_program.empty()) options.run_program = Sibling("assay-run");
  if (options.unpack_program.empty())
    options.unpack_program = Sibling("assay-unpack");
  if (options.data_dir.empty()) options.data_dir = CacheDirectory();
  if (options.image_dir.empty())
    options.image_dir = options.data_dir + "/layouts";
  if (options.slots == 0)
    options.slots =
        static_cast<int>(std::max(1U, std::thread::hardware_concurrency() / 2));
  if (options.cores == 0) options.cores = DefaultCores(options.slots);
  if (options.local && (options.plan_file.empty() ||
                        options.tree.empty() == options.against_url.empty()))
    return InvalidArgument(
        "--local needs --plan FILE, and either --tree DIR or --against-url "
        "URL");
  if (options.local) return {};
  std::error_code ignored;
  const bool enrolled =
      std::filesystem::exists(IdentityFile(options), ignored) ||
      !options.enrol.empty();
  if (options.coordinator.empty() || (options.token_file.empty() && !enrolled))
    return InvalidArgument(
        "expected --coordinator HOST:PORT, with --token-file FILE on its own "
        "machine, or with --enrol TOKEN of `assay worker enrol` on another; or "
        "--local");
  return {};
}

int Main(int argc, char** argv) {
  if (const auto armed = ArmFaultPoint(); !armed) {
    std::fprintf(stderr, "assay-runner: %s\n", armed.error().message.c_str());
    return 2;
  }
  // Standard output is for events and the ready line.
  spdlog::set_default_logger(spdlog::stderr_logger_st("runner"));
  // Whoever started us may have blocked what we wait for.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  CLI::App app("assay-runner");
  Options options;
  AddOptions(app, options);
  CLI11_PARSE(app, argc, argv);
  Status status = Complete(app, options);
  if (!status) {
    std::fprintf(stderr, "assay-runner: %s\n", status.error().message.c_str());
    return 2;
  }
  status = options.local ? RunOnce(options) : Serve(options);
  if (status) return 0;
  std::fprintf(stderr, "assay-runner: %s\n", status.error().message.c_str());
  return 1;
}

}  // namespace
}  // namespace assay::worker

int main(int argc, char** argv) { return assay::worker::Main(argc, argv); }
