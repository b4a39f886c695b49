#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "services/cli/child.h"
#include "services/cli/command_line.h"
#include "services/cli/supervisor.h"

namespace assay::cli {
namespace {

struct UpOptions {
  std::string store;
  std::string blobs;
  std::string s3_endpoint;
  std::string s3_region;
  std::string otlp_endpoint;
  std::string node;
  std::string advertise;
  int grpc_port = kDefaultGrpcPort;
  int web_port = kDefaultWebPort;
  bool any_port = false;
  int slots = 0;
  std::string host = "127.0.0.1";
  std::string tls_cert;
  std::string tls_key;
  std::string public_url;
  bool insecure = false;
  bool no_worker = false;
  bool allow_private_egress = false;
};

constexpr auto kStartTimeout = std::chrono::seconds(30);
constexpr auto kStopGrace = std::chrono::seconds(10);

bool IsFree(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const bool bound =
      bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return bound;
}

// `port`, or 0 where it is taken and another will do.
Expected<int> ChoosePort(Console& console, const UpOptions& options, int port,
                         std::string_view option) {
  if (port == 0 || IsFree(port)) return port;
  if (options.any_port) {
    console.Note(fmt::format("port {} is taken; using a free one", port));
    return 0;
  }
  return InvalidArgument("port ", port,
                         " is taken; stop what listens there, or "
                         "choose another with ",
                         option, ", or let one be found with --any-port");
}

// "ready grpc=127.0.0.1:7070 web=127.0.0.1:7080" -> the value of `key`.
std::string ValueOf(const std::string& ready_line, const std::string& key) {
  std::istringstream words(ready_line);
  for (std::string word; words >> word;) {
    if (word.starts_with(key + "=")) return word.substr(key.size() + 1);
  }
  return "";
}

struct Serving {
  std::string grpc;
  // Without TLS, for programs of this machine.
  std::string local_grpc;
  // With its scheme.
  std::string web;
};

Expected<Serving> StartServer(Context& context, const UpOptions& options,
                              Supervisor& supervisor) {
  Console& console = context.console();
  ASSAY_ASSIGN_OR_RETURN(
      const int grpc_port,
      ChoosePort(console, options, options.grpc_port, "--grpc-port"));
  ASSAY_ASSIGN_OR_RETURN(
      const int web_port,
      ChoosePort(console, options, options.web_port, "--web-port"));
  std::vector<std::string> command = {
      SiblingProgram("assayd"),
      "--data-dir",
      context.options().data_dir.string(),
      "--grpc-address",
      fmt::format("{}:{}", options.host, grpc_port),
      "--web-address",
      fmt::format("{}:{}", options.host, web_port)};
  for (const auto& [name, value] :
       {std::pair{"--tls-cert", options.tls_cert},
        std::pair{"--tls-key", options.tls_key},
        std::pair{"--public-url", options.public_url}})
    if (!value.empty()) command.insert(command.end(), {name, value});
  if (options.insecure) command.emplace_back("--insecure");
  // The worker and the commands of this machine need no certificate.
  const bool tls = !options.tls_cert.empty();
  if (tls) command.insert(command.end(), {"--local-grpc", "127.0.0.1:0"});
  ASSAY_ASSIGN_OR_RETURN(
      const std::string ready,
      supervisor.Start("assayd", std::move(command), kStartTimeout));
  return Serving{.grpc = ValueOf(ready, "grpc"),
                 .local_grpc = ValueOf(ready, tls ? "local" : "grpc"),
                 .web = (tls ? "https://" : "http://") + ValueOf(ready, "web")};
}

// What is the server's alone: a worker stands nearer to what candidates wrote.
void ForgetServersSecrets() {
  for (const char* name :
       {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
        "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
        "PGPASSWORD", "ASSAY_STORE", "ASSAY_SMTP_PASSWORD",
        "ASSAY_WEBHOOK_SECRET"})
    unsetenv(name);
}

Status StartWorker(Context& context, const UpOptions& options,
                   const Serving& serving, Supervisor& supervisor) {
  const auto& data_dir = context.options().data_dir;
  std::vector<std::string> command = {SiblingProgram("assay-runner"),
                                      "--server",
                                      serving.local_grpc,
                                      "--token-file",
                                      (data_dir / "worker.token").string(),
                                      "--data-dir",
                                      (data_dir / "worker").string()};
  if (options.slots > 0) {
    command.insert(command.end(), {"--slots", std::to_string(options.slots)});
  }
  if (options.allow_private_egress) {
    command.emplace_back("--allow-private-egress");
  }
  ASSAY_RETURN_IF_ERROR(
      supervisor.Start("assay-runner", std::move(command), kStartTimeout));
  return {};
}

void Announce(Console& console, const std::filesystem::path& data_dir,
              const Serving& serving) {
  if (console.json()) {
    const nlohmann::json up = {{"grpc", serving.grpc},
                               {"web", serving.web},
                               {"dataDir", data_dir.string()}};
    console.JsonText(up.dump());
    return;
  }
  console.Line(console.Paint(Color::kBold, "Assay is up."));
  console.Fields({{"  dashboard", serving.web},
                  {"  server", serving.grpc + " (gRPC)"},
                  {"  data", data_dir.string()},
                  {"  admin token", (data_dir / kAdminTokenFile).string()},
                  {"  logs", (data_dir / "log").string()}});
  console.Line("Stop with Ctrl-C.");
}

Outcome Up(Context& context, const UpOptions& options) {
  const auto& data_dir = context.options().data_dir;
  Console& console = context.console();
  std::error_code error;
  std::filesystem::create_directories(data_dir, error);
  if (error) {
    return SystemError("make the data directory " + data_dir.string(),
                       error.value());
  }
  // Not on a command line, which is everybody's to read: it may say more.
  if (!options.store.empty()) setenv("ASSAY_STORE", options.store.c_str(), 1);
  if (!options.blobs.empty()) setenv("ASSAY_BLOBS", options.blobs.c_str(), 1);
  if (!options.s3_endpoint.empty())
    setenv("ASSAY_S3_ENDPOINT", options.s3_endpoint.c_str(), 1);
  if (!options.s3_region.empty())
    setenv("ASSAY_S3_REGION", options.s3_region.c_str(), 1);
  if (!options.otlp_endpoint.empty())
    setenv("ASSAY_OTLP_ENDPOINT", options.otlp_endpoint.c_str(), 1);
  for (const auto& [variable, value] :
       {std::pair{"ASSAY_NODE", &options.node},
        std::pair{"ASSAY_ADVERTISE", &options.advertise}})
    if (!value->empty()) setenv(variable, value->c_str(), 1);
  Supervisor supervisor(data_dir / "log");
  const auto fail = [&](const Error& failure) -> Outcome {
    supervisor.Stop(kStopGrace);
    if (failure.code == Code::kCancelled) return kInterrupted;
    if (failure.code == Code::kInvalidArgument) return std::unexpected(failure);
    console.Note("assay: " + failure.message);
    return kBroken;
  };
  const auto serving = StartServer(context, options, supervisor);
  if (!serving) return fail(serving.error());
  std::ofstream(data_dir / kAddressFile) << serving->local_grpc << '\n';
  ForgetServersSecrets();
  if (!options.no_worker) {
    const Status worker = StartWorker(context, options, *serving, supervisor);
    if (!worker) return fail(worker.error());
  }
  Announce(console, data_dir, *serving);
  const Status ended = supervisor.WaitForEnd();
  if (!ended) return fail(ended.error());
  if (!console.json()) console.Line("Stopping.");
  supervisor.Stop(kStopGrace);
  std::filesystem::remove(data_dir / kAddressFile, error);
  return kSuccess;
}

}  // namespace

void AddUpCommand(CommandLine& line) {
  auto up = line.Add<UpOptions>(
      line.app(), "up",
      "Run server and worker on this machine until Ctrl-C, on loopback unless "
      "--host says otherwise",
      "  assay up\n"
      "  assay up --data-dir ./data --any-port\n"
      "  assay up --grpc-port 0 --web-port 0 --json\n"
      "  assay up --store postgres://assay@db.example/assay\n"
      "  assay up --host 0.0.0.0 --tls-cert chain.pem --tls-key key.pem "
      "--public-url https://assay.example:7080\n"
      "  assay up --blobs s3://assay-blobs --s3-endpoint "
      "http://s3.example:9000",
      Up);
  up.app
      .add_option("--store", up.options->store,
                  "PostgreSQL, postgres://user@host:port/database [SQLite in "
                  "the data directory]")
      ->envname("ASSAY_STORE");
  up.app
      .add_option("--blobs", up.options->blobs,
                  "Bucket for plans, suites and bundles, s3://BUCKET[/PREFIX], "
                  "or the path of a folder [the data directory]")
      ->envname("ASSAY_BLOBS");
  up.app
      .add_option("--s3-endpoint", up.options->s3_endpoint,
                  "S3 server, http://host:port or https://host [Amazon's]")
      ->envname("ASSAY_S3_ENDPOINT");
  up.app
      .add_option("--s3-region", up.options->s3_region,
                  "The bucket's region [AWS_REGION, us-east-1]")
      ->envname("ASSAY_S3_REGION");
  up.app
      .add_option("--otlp-endpoint", up.options->otlp_endpoint,
                  "Collector of Assay's own spans, http://host:4318 or "
                  "grpc://host:4317 [none]")
      ->envname("ASSAY_OTLP_ENDPOINT");
  up.app
      .add_option("--node", up.options->node,
                  "What this server is called among those that share the "
                  "store [the host's name]")
      ->envname("ASSAY_NODE");
  up.app
      .add_option("--advertise", up.options->advertise,
                  "Host by which other servers reach this one [its address]")
      ->envname("ASSAY_ADVERTISE");
  up.app.add_option("--grpc-port", up.options->grpc_port,
                    "Port of the gRPC API [7070]; 0: any");
  up.app.add_option("--web-port", up.options->web_port,
                    "Port of dashboard and git [7080]; 0: any");
  up.app.add_option("--host", up.options->host,
                    "Address of both ports [127.0.0.1]; others need TLS");
  up.app
      .add_option("--tls-cert", up.options->tls_cert,
                  "The server's certificate and its chain (PEM); taken anew "
                  "when it changes")
      ->envname("ASSAY_TLS_CERT");
  up.app.add_option("--tls-key", up.options->tls_key, "Its key (PEM)")
      ->envname("ASSAY_TLS_KEY");
  up.app.add_flag("--insecure", up.options->insecure,
                  "Beyond loopback without TLS: something in front of it "
                  "speaks TLS");
  up.app.add_option("--public-url", up.options->public_url,
                    "How people reach the web port; links begin with it");
  up.app.add_flag("--any-port", up.options->any_port,
                  "Where a port is taken, use a free one and say so");
  up.app.add_option("--slots", up.options->slots,
                    "Runs at once [the worker's choice]");
  up.app.add_flag("--no-worker", up.options->no_worker, "Server only");
  up.app.add_flag("--allow-private-egress", up.options->allow_private_egress,
                  "Builds may reach private addresses where their suite says "
                  "`private: true`");
}

}  // namespace assay::cli
