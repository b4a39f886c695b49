// assayd: the coordinator. Parses options, puts the server together, and stops
// it in good order on SIGTERM and SIGINT.

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "proto/base/clock.h"
#include "proto/base/fault_point.h"
#include "services/coordinator/coordinator.h"
#include "services/coordinator/exposure.h"
#include "services/gateway/spawn.h"
#include "services/main/admin_commands.h"

namespace {

namespace asio = boost::asio;
using assay::coordinator::Coordinator;

struct ProgramOptions {
  assay::coordinator::Options coordinator;
  std::string port_file;
  std::string otlp_endpoint;
  int push_stay_seconds = 600;
  int node_lost_seconds = 120;
  std::string log_level = "info";
  bool insecure = false;
};

std::filesystem::path DefaultDataDir() {
  if (const char* data = std::getenv("XDG_DATA_HOME"); data && *data == '/')
    return std::filesystem::path(data) / "assay";
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home && *home ? home : "/var/lib") /
         (home && *home ? ".local/share/assay" : "assay");
}

void AddOptions(CLI::App& app, ProgramOptions& options) {
  auto& coordinator = options.coordinator;
  coordinator.data_dir = DefaultDataDir();
  coordinator.version = ASSAY_VERSION;
  app.add_option("--data-dir", coordinator.data_dir,
                 "Everything that must survive")
      ->capture_default_str();
  app.add_option("--store", coordinator.store,
                 "PostgreSQL, postgres://user@host:port/database, with its "
                 "password in PGPASSWORD; none: SQLite in the data directory")
      ->envname("ASSAY_STORE");
  app.add_option("--blobs", coordinator.blobs.location,
                 "Bucket for plans, suites and bundles, s3://BUCKET[/PREFIX], "
                 "with its keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
                 "or ~/.aws/credentials; or the absolute path of a folder, "
                 "which several coordinators share; none: the data directory")
      ->envname("ASSAY_BLOBS");
  app.add_option("--s3-endpoint", coordinator.blobs.endpoint,
                 "S3 server other than Amazon's, http://host:port or "
                 "https://host")
      ->envname("ASSAY_S3_ENDPOINT");
  app.add_option("--s3-region", coordinator.blobs.region,
                 "The bucket's region [AWS_REGION, us-east-1]")
      ->envname("ASSAY_S3_REGION");
  app.add_option("--otlp-endpoint", options.otlp_endpoint,
                 "Collector of our own spans, http://host:4318 or "
                 "grpc://host:4317 [OTEL_EXPORTER_OTLP_ENDPOINT]")
      ->envname("ASSAY_OTLP_ENDPOINT");
  app.add_option("--node", coordinator.node,
                 "What this coordinator is called among those that share the "
                 "store [the host's name, kept in the data directory]")
      ->envname("ASSAY_NODE");
  app.add_option("--advertise", coordinator.advertise,
                 "Host by which the other coordinators reach this one [that "
                 "of --listen and --web, or the host's name]")
      ->envname("ASSAY_ADVERTISE");
  app.add_option("--node-ca", coordinator.node_ca,
                 "Certificates (PEM) by which the other coordinators are "
                 "trusted [the chain of --tls-cert, and the system's]")
      ->envname("ASSAY_NODE_CA");
  app.add_option("--node-lost-after", options.node_lost_seconds,
                 "After how many seconds of silence a coordinator's "
                 "repositories are made again elsewhere")
      ->check(CLI::Range(5, 86'400))
      ->capture_default_str();
  app.add_option("--listen,--grpc-address", coordinator.grpc_address,
                 "Address of the gRPC port; port 0 takes a free one")
      ->capture_default_str();
  app.add_option("--web,--web-address", coordinator.web_address,
                 "Address of the web port: dashboard, Connect, git")
      ->capture_default_str();
  app.add_option("--public-url", coordinator.public_url,
                 "How people reach the web port; links begin with it");
  app.add_option("--tls-cert", coordinator.tls.certificate,
                 "The server's certificate and its chain (PEM), for both "
                 "ports; taken anew when it changes")
      ->envname("ASSAY_TLS_CERT");
  app.add_option("--tls-key", coordinator.tls.key, "Its key (PEM)")
      ->envname("ASSAY_TLS_KEY");
  app.add_option_function<std::int64_t>(
         "--worker-certificate-life",
         [&coordinator](std::int64_t seconds) {
           coordinator.worker_certificate_life = std::chrono::seconds(seconds);
         },
         "How long a worker's certificate is good, in seconds [30 days]; it is "
         "renewed after two thirds")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{365} * 24 * 3600));
  app.add_flag("--insecure", options.insecure,
               "Listen beyond loopback without TLS: something in front of it "
               "speaks TLS");
  app.add_option("--local-grpc", coordinator.local_grpc_address,
                 "A second address of gRPC, on loopback and without TLS, for "
                 "programs of this machine");
  app.add_option("--push-stay", options.push_stay_seconds,
                 "How long a push stays to hear its results, in seconds")
      ->check(CLI::Range(0, 3600))
      ->capture_default_str();
  auto& ways = coordinator.ways;
  app.add_option("--smtp", ways.smtp_url,
                 "Mail server, smtp://host:25 or smtps://host:465; none: "
                 "messages are kept and shown")
      ->envname("ASSAY_SMTP");
  app.add_option("--smtp-user", ways.smtp_user,
                 "Who mails; the password is in ASSAY_SMTP_PASSWORD")
      ->envname("ASSAY_SMTP_USER");
  app.add_option("--smtp-ca", ways.smtp_ca,
                 "Certificates (PEM) that vouch for the mail server [the "
                 "system's]")
      ->envname("ASSAY_SMTP_CA");
  app.add_option("--mail-from", ways.mail_from, "What mail comes from")
      ->envname("ASSAY_MAIL_FROM");
  app.add_option("--staff-mail", ways.staff_mail, "Who gets questions by mail")
      ->envname("ASSAY_STAFF_MAIL");
  app.add_option("--webhook", ways.webhook_url,
                 "URL that is told of everything, signed with the key in "
                 "ASSAY_WEBHOOK_SECRET")
      ->envname("ASSAY_WEBHOOK");
  app.add_option("--port-file", options.port_file,
                 "Write \"grpc=ADDRESS web=ADDRESS\" here when ready");
  app.add_option("--log-level", options.log_level, "debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
  app.set_version_flag("--version", "assayd " ASSAY_VERSION);
}

// Secrets come from the environment: command lines are everybody's to read.
assay::Status ReadSecrets(assay::notify::Ways& ways) {
  const auto from = [](const char* variable) {
    const char* value = std::getenv(variable);
    return std::string(value == nullptr ? "" : value);
  };
  ways.smtp_password = from("ASSAY_SMTP_PASSWORD");
  ways.webhook_secret = from("ASSAY_WEBHOOK_SECRET");
  if (ways.mails() && ways.mail_from.empty())
    return assay::InvalidArgument(
        "--smtp needs --mail-from: an address that "
        "mail comes from");
  if (ways.calls() && ways.webhook_secret.size() < 16)
    return assay::InvalidArgument(
        "--webhook needs a key of 16 characters or "
        "more in ASSAY_WEBHOOK_SECRET");
  return {};
}

// gRPC goes deaf for ever once it has run out of descriptors.
void RaiseDescriptorLimit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::string HostOf(const std::string& address) {
  return address.substr(0, address.rfind(':'));
}

// What `assay up`, tests and scripts wait for. All or nothing, for the file.
void AnnounceReady(const Coordinator& coordinator,
                   const ProgramOptions& options) {
  const auto& given = options.coordinator;
  const std::string line =
      fmt::format("grpc={}:{} web={}:{}", HostOf(given.grpc_address),
                  coordinator.grpc_port(), HostOf(given.web_address),
                  coordinator.web_port());
  fmt::print("ready {}{}\n", line,
             given.local_grpc_address.empty()
                 ? ""
                 : fmt::format(" local={}:{}", HostOf(given.local_grpc_address),
                               coordinator.local_grpc_port()));
  std::fflush(stdout);
  if (options.port_file.empty()) return;
  const std::string draft = options.port_file + ".new";
  std::ofstream(draft) << line << "\n";
  std::filesystem::rename(draft, options.port_file);
}

// SIGHUP asks for what files say anew.
asio::awaitable<void> ReloadOnSignal(asio::signal_set& signals,
                                     Coordinator& coordinator) {
  for (;;) {
    boost::system::error_code error;
    co_await signals.async_wait(
        asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    const assay::Status reloaded = coordinator.ReloadCertificate();
    if (reloaded)
      spdlog::info("the certificate was read again");
    else
      spdlog::error("the certificate stays as it was: {}",
                    reloaded.error().message);
  }
}

asio::awaitable<void> WaitForSignal(asio::signal_set& signals) {
  boost::system::error_code ignored;
  co_await signals.async_wait(
      asio::redirect_error(asio::use_awaitable, ignored));
}

// A second signal does not wait for anything.
asio::awaitable<void> GiveUpOnSignal(asio::signal_set& signals) {
  boost::system::error_code error;
  co_await signals.async_wait(asio::redirect_error(asio::use_awaitable, error));
  if (!error) std::_Exit(1);
}

struct Outcome {
  // Empty when it did not start.
  std::unique_ptr<Coordinator> coordinator;
  bool ended = false;
};

asio::awaitable<void> Serve(asio::io_context& strand, const assay::Clock& clock,
                            const ProgramOptions& options, Outcome& outcome) {
  asio::signal_set signals(strand, SIGTERM, SIGINT);
  asio::signal_set reloads(strand, SIGHUP);
  auto started = co_await Coordinator::Start(strand.get_executor(), clock,
                                             options.coordinator);
  outcome.ended = !started;
  if (!started) {
    fmt::print(stderr, "assayd: {}\n", started.error().message);
    co_return;
  }
  outcome.coordinator = *std::move(started);
  assay::gateway::Spawn(strand.get_executor(), "reload signal",
                        ReloadOnSignal(reloads, *outcome.coordinator));
  AnnounceReady(*outcome.coordinator, options);
  co_await WaitForSignal(signals);
  reloads.cancel();
  spdlog::info("stopping: requests that are under way may end");
  assay::gateway::Spawn(strand.get_executor(), "second signal",
                        GiveUpOnSignal(signals));
  co_await outcome.coordinator->Stop();
  signals.cancel();
  outcome.ended = true;
}

}  // namespace

int main(int argc, char** argv) {
  ProgramOptions options;
  CLI::App app("Assay's coordinator: gRPC API, git over HTTP, dashboard");
  AddOptions(app, options);
  std::function<int()> admin;
  assay::admin::AddCommands(app, options.coordinator.data_dir,
                            options.coordinator.store,
                            options.coordinator.blobs, admin);
  CLI11_PARSE(app, argc, argv);
  if (const auto read = ReadSecrets(options.coordinator.ways); !read) {
    fmt::print(stderr, "assayd: {}\n", read.error().message);
    return 2;
  }
  auto otlp = assay::telemetry::ReadOtlpSettings(
      options.otlp_endpoint, assay::storage::ProcessEnvironment);
  if (!otlp) {
    fmt::print(stderr, "assayd: {}\n", otlp.error().message);
    return 2;
  }
  options.coordinator.otlp = *std::move(otlp);
  const auto& given = options.coordinator;
  if (const auto checked = assay::coordinator::CheckExposure(
          {.grpc_address = given.grpc_address,
           .web_address = given.web_address,
           .local_grpc_address = given.local_grpc_address,
           .public_url = given.public_url,
           .certificate = given.tls.certificate,
           .key = given.tls.key,
           .insecure = options.insecure});
      !admin && !checked) {
    fmt::print(stderr, "assayd: {}\n", checked.error().message);
    return 2;
  }
  spdlog::set_default_logger(spdlog::stderr_logger_mt("assayd"));
  spdlog::set_level(spdlog::level::from_str(options.log_level));
  options.coordinator.push_stay =
      std::chrono::seconds(options.push_stay_seconds);
  options.coordinator.node_lost_after =
      std::chrono::seconds(options.node_lost_seconds);
  if (const auto armed = assay::ArmFaultPoint(); !armed) {
    fmt::print(stderr, "assayd: {}\n", armed.error().message);
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  ::umask(077);
  if (admin) return admin();
  RaiseDescriptorLimit();

  const assay::SystemClock clock;
  asio::io_context strand(1);
  Outcome outcome;
  assay::gateway::Spawn(strand.get_executor(), "assayd",
                        Serve(strand, clock, options, outcome));
  while (!outcome.ended) strand.run_one();
  if (!outcome.coordinator) return 1;
  // What still waits borrows from the coordinator. All that had to be kept is
  // durable, so that leaving at once loses nothing.
  strand.run_for(std::chrono::seconds(1));
  if (!strand.stopped()) {
    spdlog::warn("leaving while something still waits");
    std::_Exit(0);
  }
  outcome.coordinator.reset();
  return 0;
}
