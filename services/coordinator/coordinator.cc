#include "services/coordinator/coordinator.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/ip/host_name.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "proto/base/fault_point.h"
#include "services/assignments/assignment_service.h"
#include "services/assignments/suite_compiler.h"
#include "services/assignments/suite_service.h"
#include "services/attempts/attempt_service.h"
#include "services/attempts/clock_service.h"
#include "services/attempts/decision_service.h"
#include "services/attempts/invitation_service.h"
#include "services/attempts/lost_link_service.h"
#include "services/attempts/push_recorder.h"
#include "services/attempts/question_service.h"
#include "services/attempts/records_service.h"
#include "services/attempts/source_service.h"
#include "services/attempts/trial.h"
#include "services/attempts/version_service.h"
#include "services/coordinator/data_directory.h"
#include "services/dashboard/assets.h"
#include "services/deadlines/deadlines.h"
#include "services/dispatch/dispatcher.h"
#include "services/dispatch/lease_service.h"
#include "services/dispatch/sources.h"
#include "services/gateway/connect_handler.h"
#include "services/gateway/grpc_probe.h"
#include "services/gateway/grpc_server.h"
#include "services/gateway/http_server.h"
#include "services/gateway/one_shot.h"
#include "services/gateway/spawn.h"
#include "services/gateway/web_routes.h"
#include "services/git_http/git_http.h"
#include "services/git_http/pre_receive_hook.h"
#include "services/git_http/reconciler.h"
#include "services/identity/account_service.h"
#include "services/identity/identity.h"
#include "services/maintenance/backup.h"
#include "services/maintenance/housekeeper.h"
#include "services/metrics/metrics_page.h"
#include "services/nodes/homed_repositories.h"
#include "services/nodes/homes.h"
#include "services/nodes/membership.h"
#include "services/nodes/node_load.h"
#include "services/nodes/node_name.h"
#include "services/nodes/node_service.h"
#include "services/nodes/note_exchange.h"
#include "services/nodes/peer_roots.h"
#include "services/nodes/peers.h"
#include "services/notify/notification_service.h"
#include "services/notify/notifier.h"
#include "services/overview/overview_service.h"
#include "services/repositories/repositories.h"
#include "services/rpc/proto_time.h"
#include "services/runs/run_queue.h"
#include "services/runs/run_service.h"
#include "services/storage/blobs/open_blobs.h"
#include "services/storage/bulletin.h"
#include "services/storage/open_store.h"
#include "services/submissions/receipt_service.h"
#include "services/submissions/submission_service.h"
#include "services/system/system_service.h"
#include "services/telemetry/run_tracer.h"
#include "services/telemetry/span_exporter.h"
#include "services/traces/trace_service.h"
#include "services/workers/enrolments.h"
#include "services/workers/worker_book.h"
#include "services/workers/worker_service.h"

namespace assay::coordinator {
namespace {

namespace asio = boost::asio;

// What everything else stands on.
struct Ground {
  std::unique_ptr<DataDirectory> directory;
  // Seconds; below 0 until the store has looked.
  std::shared_ptr<std::atomic<std::int64_t>> oldest_transaction =
      std::make_shared<std::atomic<std::int64_t>>(-1);
  nodes::NodeName node;
  std::unique_ptr<storage::Store> store;
  std::unique_ptr<storage::BlobStore> blobs;
  std::unique_ptr<repositories::Repositories> repositories;
  // Null, both: no TLS.
  std::unique_ptr<workers::Enrolments> enrolments;
  std::unique_ptr<gateway::TlsIdentity> tls;
  std::unique_ptr<gateway::HttpServer> web;
  std::unique_ptr<submissions::ReceiptSigner> signer;
};

// With TLS, browsers come back by it alone.
gateway::HeaderFields FieldsOf(const Options& options) {
  gateway::HeaderFields fields = gateway::SecurityFields();
  if (options.tls.given() || options.public_url.starts_with("https://"))
    fields.emplace_back("Strict-Transport-Security", "max-age=31536000");
  return fields;
}

// Where a store is shared, its clock is what all go by.
const Clock& ClockOf(storage::Store& store, const Clock& own) {
  return store.bulletin() == nullptr ? own : store.bulletin()->clock();
}

Expected<Ground> OpenGround(asio::any_io_executor strand,
                            const Options& options, const Clock& clock) {
  Ground ground;
  ASSAY_ASSIGN_OR_RETURN(ground.directory,
                         DataDirectory::Open(options.data_dir));
  ASSAY_ASSIGN_OR_RETURN(
      ground.node,
      nodes::OpenNodeName(ground.directory->node_file(), options.node));
  ASSAY_ASSIGN_OR_RETURN(
      ground.store,
      storage::OpenStore(options.store, ground.directory->path(),
                         [oldest = ground.oldest_transaction](auto age) {
                           *oldest = age.count();
                         }));
  ASSAY_ASSIGN_OR_RETURN(
      ground.blobs,
      storage::OpenBlobs(options.blobs, ground.directory->path()));
  ASSAY_ASSIGN_OR_RETURN(ground.repositories,
                         repositories::Repositories::Open(
                             {.root = ground.directory->repositories()}));
  ASSAY_ASSIGN_OR_RETURN(auto signer, submissions::ReceiptSigner::Open(
                                          ground.directory->receipt_key()));
  ground.signer =
      std::make_unique<submissions::ReceiptSigner>(std::move(signer));
  ASSAY_RETURN_IF_ERROR(git_http::InstallHook(ground.directory->hooks()));
  gateway::HttpOptions web{.address = options.web_address,
                           .fields = FieldsOf(options)};
  if (options.tls.given()) {
    ASSAY_ASSIGN_OR_RETURN(
        ground.tls, gateway::TlsIdentity::Load(strand, options.tls, clock));
    ASSAY_RETURN_IF_ERROR(ground.tls->Watch());
    ASSAY_ASSIGN_OR_RETURN(
        auto authority, workers::CertificateAuthority::Open(
                            ground.directory->worker_authority(), clock.Now()));
    ground.enrolments = std::make_unique<workers::Enrolments>(
        *ground.store, ClockOf(*ground.store, clock), std::move(authority),
        options.worker_certificate_life);
    web.tls = [tls = ground.tls.get()] { return tls->current()->context; };
  }
  // Taken early: with port 0, links are known only from here on.
  ASSAY_ASSIGN_OR_RETURN(ground.web,
                         gateway::HttpServer::Listen(strand, std::move(web)));
  return ground;
}

// EX_SOFTWARE: what a supervisor sees when the server gave up on itself.
constexpr int kDeafExitCode = 70;

std::string HostOf(const std::string& address) {
  return address.substr(0, address.rfind(':'));
}

// "http://127.0.0.1:7080", from the address that is listened on.
std::string UrlOf(const Options& options, int port) {
  const char* scheme = options.tls.given() ? "https://" : "http://";
  return scheme + HostOf(options.web_address) + ":" + std::to_string(port);
}

std::vector<v1::GetSystemResponse::Worker> WorkersOf(
    const dispatch::Dispatcher& dispatcher) {
  std::vector<v1::GetSystemResponse::Worker> workers;
  for (const auto& info : dispatcher.Workers()) {
    v1::GetSystemResponse::Worker& worker = workers.emplace_back();
    worker.set_name(info.name);
    worker.set_held_back(info.held_back);
    worker.set_slots(info.slots);
    worker.set_busy(info.busy);
    *worker.mutable_attach_time() = rpc::ToProto(info.attach_time);
  }
  return workers;
}

// Where other nodes reach a port of this one.
std::string AdvertisedAddress(const Options& options,
                              const std::string& address, int port) {
  std::string host =
      options.advertise.empty() ? HostOf(address) : options.advertise;
  if (host == "0.0.0.0" || host == "[::]" || host == "*")
    host = boost::asio::ip::host_name();
  return host + ":" + std::to_string(port);
}

std::vector<metrics::WorkerLoad> LoadsOf(
    const dispatch::Dispatcher& dispatcher) {
  std::vector<metrics::WorkerLoad> loads;
  for (const auto& info : dispatcher.Workers())
    loads.push_back(
        {info.name, info.slots, info.busy, !info.held_back.empty()});
  return loads;
}

metrics::NodeCounts NodesOf(const nodes::Membership& membership) {
  metrics::NodeCounts counts{.live = 1};
  for (const storage::NodeRecord& node : membership.others()) {
    switch (membership.StandingOf(node)) {
      case nodes::Membership::Standing::kLive:
        ++counts.live;
        break;
      case nodes::Membership::Standing::kSilent:
        ++counts.silent;
        break;
      case nodes::Membership::Standing::kLost:
        ++counts.lost;
        break;
    }
  }
  return counts;
}

rpc::Async<dispatch::WorkerCertificates::Renewed> Renew(
    workers::Enrolments* enrolments, std::string fingerprint,
    std::string request) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      workers::Certificate issued,
      co_await enrolments->Renew(std::move(fingerprint), std::move(request)));
  co_return dispatch::WorkerCertificates::Renewed{
      .pem = std::move(issued.pem),
      .proof = {.name = issued.name, .fingerprint = issued.fingerprint}};
}

dispatch::WorkerCertificates CertificatesOf(workers::Enrolments* enrolments) {
  if (enrolments == nullptr) return {};
  return {.check =
              [enrolments](std::string fingerprint) {
                return enrolments->StillGood(std::move(fingerprint));
              },
          .renew =
              [enrolments](std::string fingerprint, std::string request) {
                return Renew(enrolments, std::move(fingerprint),
                             std::move(request));
              }};
}

metrics::ProbeCounts ProbeCountsOf(const gateway::GrpcProbe* probe) {
  if (probe == nullptr) return {};
  const gateway::GrpcProbe::Counts counts = probe->counts();
  return {.answered = counts.answered,
          .silent = counts.silent,
          .seconds = counts.took.count()};
}

std::optional<std::chrono::seconds> OldestTransaction(const Ground& ground) {
  const std::int64_t age = *ground.oldest_transaction;
  if (age < 0) return std::nullopt;
  return std::chrono::seconds(age);
}

std::function<metrics::SpanCounts()> SpanCountsOf(
    const telemetry::SpanExporter* exporter) {
  if (exporter == nullptr) return nullptr;
  return [exporter] {
    const auto counts = exporter->counts();
    return metrics::SpanCounts{.exported = counts.exported,
                               .dropped = counts.dropped,
                               .waiting = counts.waiting};
  };
}

}  // namespace

// In the order in which each needs the ones before it.
struct Coordinator::Parts {
  Parts(asio::any_io_executor on, const Clock& time, Options given, Ground base)
      : strand(std::move(on)),
        ground(std::move(base)),
        clock(ClockOf(*ground.store, time)),
        options(std::move(given)),
        public_url(options.public_url.empty()
                       ? UrlOf(options, ground.web->port())
                       : options.public_url) {
    queue.Observe(tracer.get());
    recorder.Observe(tracer.get());
  }

  void RegisterServices();
  // Here, and at the other nodes.
  void WakeDeadlines() {
    deadlines.Wake();
    exchange.TellClockChanged();
  }
  void WakeNotifier() {
    notifier.Wake();
    exchange.TellMessageWaits();
  }
  asio::awaitable<Status> Settle();
  asio::awaitable<void> Scan();
  static rpc::Async<dispatch::WorkerProof> Admit(Parts* self,
                                                 dispatch::AttachHead head);
  Status StartGrpc();
  void StartMembership();
  asio::awaitable<Status> StartPeers();
  void OnBeat();
  asio::awaitable<void> StopGrpc();

  const asio::any_io_executor strand;
  const Ground ground;
  const Clock& clock;
  const Options options;
  const std::string public_url;
  const bool https = public_url.starts_with("https://");

  storage::Store& store = *ground.store;
  const std::unique_ptr<telemetry::SpanExporter> exporter =
      options.otlp ? std::make_unique<telemetry::SpanExporter>(*options.otlp)
                   : nullptr;
  const std::unique_ptr<telemetry::RunTracer> tracer =
      exporter ? std::make_unique<telemetry::RunTracer>(
                     strand, store, clock,
                     [this](otlp::v1::Span span) {
                       exporter->Offer(std::move(span));
                     })
               : nullptr;
  repositories::Repositories& repositories = *ground.repositories;
  const std::string& node = ground.node.name;
  const bool shared = store.bulletin() != nullptr;
  nodes::Membership membership{
      strand,
      store,
      *ground.blobs,
      clock,
      ground.node,
      {.version = options.version,
       .heartbeat = std::chrono::milliseconds(shared ? 1'000 : 0),
       .lost_after = options.node_lost_after,
       .load = [this] { return nodes::LoadOf(dispatcher); }}};
  git_http::RepositoryQueue repository_queue{strand};
  nodes::Homes homes{store,
                     *ground.blobs,
                     repositories,
                     repository_queue,
                     membership,
                     clock,
                     {.settle = [this](RepositoryId repository) {
                       return homed.Settle(std::move(repository));
                     }}};
  // When each started.
  std::map<std::string, Clock::TimePoint> live_others;
  bool drained = false;
  bool others_serve = false;
  int beats_drained = 0;
  identity::Identity identity{store, clock};
  runs::RunFeed feed{strand};
  nodes::Peers peers{strand, membership, feed};
  nodes::PeerService peer_service{feed};
  runs::PlanCache plans{*ground.blobs};
  runs::RunQueue queue{store, plans, feed, clock};
  runs::RunReader reader{store, plans, feed};
  attempts::PushRecorder recorder{store, feed, clock, node};
  submissions::SubmissionRefs submission_refs{
      store,
      [this](RepositoryId repository, int number, std::string commit) {
        return homed.WriteSubmissionRef(std::move(repository), number,
                                        std::move(commit));
      },
      node};
  deadlines::Deadlines deadlines{
      strand,
      store,
      feed,
      submission_refs,
      clock,
      {.has_arrivals =
           [this](const RepositoryId& repository, Clock::TimePoint time) {
             return recorder.HasArrivals(repository, time);
           },
       .graded_ref = std::string(attempts::kGradedRef),
       .node = node}};
  workers::WorkerBook worker_book{store, clock};
  dispatch::Dispatcher dispatcher{
      strand,
      queue,
      worker_book,
      clock,
      dispatch::MakeContentSources(
          store, *ground.blobs, repositories,
          [this](RepositoryId repository, std::string commit) {
            return homed.AwaitCommit(std::move(repository), std::move(commit));
          }),
      {.observer = tracer.get(),
       .version = options.version,
       .has_others = [this] { return membership.HasLiveOthers(); },
       .certificates = CertificatesOf(ground.enrolments.get())}};
  nodes::NoteExchange exchange{
      strand,
      store,
      feed,
      {.has_others = [this] { return !membership.alone(); },
       .run_changed =
           [this](RunId run) { dispatcher.RunChanged(std::move(run)); },
       .worker_changed =
           [this](std::string name) {
             dispatcher.WorkerChanged(std::move(name));
           },
       .clock_changed = [this] { deadlines.Wake(); },
       .message_waits = [this] { notifier.Wake(); },
       .node_changed = [this] { membership.Wake(); },
       .submitted =
           [this](RepositoryId repository) {
             gateway::Spawn(strand, "submission refs",
                            homed.RepairRefs(std::move(repository)));
           },
       .erased =
           [this](RepositoryId repository) {
             gateway::Spawn(strand, "erase a copy",
                            homed.RemoveCopy(std::move(repository)));
           }}};
  git_http::Reconciler reconciler{recorder, repositories, store, clock};
  nodes::HomedRepositories homed{
      strand,
      store,
      homes,
      repositories,
      repository_queue,
      reconciler,
      submission_refs,
      exchange,
      {.node = node,
       .shared = shared,
       .data_dir = ground.directory->path(),
       .removal_patience = options.removal_patience}};

  assignments::AssignmentService assignment_service{
      store,
      *ground.blobs,
      clock,
      {.compile = assignments::CompileWithRunnerSuite,
       .create_template =
           [this](v1::FileTree files) {
             return homes.CreateTemplate(std::move(files));
           },
       .on_changed = [this] { feed.TouchLists(); }}};
  assignments::SuiteService suite_service{store, *ground.blobs,
                                          assignments::CheckWithRunnerSuite};
  attempts::InvitationService invitation_service{store, clock, public_url,
                                                 options.ways.mails(),
                                                 [this] { feed.TouchLists(); }};
  attempts::LostLinkService lost_link_service{store, clock, public_url,
                                              options.ways.mails(),
                                              [this] { WakeNotifier(); }};
  attempts::AttemptService attempt_service{
      store,
      identity,
      clock,
      {.create_repository =
           [this](RepositoryId repository, std::string commit) {
             return homed.Create(std::move(repository), std::move(commit));
           },
       .create_template =
           [this](v1::FileTree files) {
             return homes.CreateTemplate(std::move(files));
           },
       .feed = &feed,
       .on_clock_changed = [this] { WakeDeadlines(); },
       .node = node,
       .base_url = public_url}};
  attempts::ClockService clock_service{
      store, clock, [this] { WakeDeadlines(); }, public_url,
      [this](const AttemptId& attempt) { feed.Touch(attempt); }};
  attempts::VersionService version_service{
      store,
      clock,
      {.write_offer =
           [this](RepositoryId repository, std::string base,
                  std::string offered) {
             return homed.WriteOfferCommit(std::move(repository),
                                           std::move(base), std::move(offered));
           },
       .write_branch =
           [this](RepositoryId repository, std::string branch,
                  std::string commit) {
             return homed.WriteBranch(std::move(repository), std::move(branch),
                                      std::move(commit));
           },
       .on_clock_changed = [this] { WakeDeadlines(); },
       .on_changed =
           [this](const AttemptId& attempt) { feed.Touch(attempt); }}};
  attempts::RecordsService records_service{
      store, clock,
      [this](RepositoryId repository) {
        return homed.Remove(std::move(repository));
      },
      public_url};
  attempts::SourceService source_service{
      store,
      {.read_diff =
           [this](RepositoryId repository, std::string before,
                  std::string after) {
             return homed.ReadDiff(std::move(repository), std::move(before),
                                   std::move(after));
           },
       .read_history =
           [this](RepositoryId repository, std::string commit, int limit) {
             return homed.ReadHistory(std::move(repository), std::move(commit),
                                      limit);
           },
       .read_notes =
           [this](RepositoryId repository, std::string before,
                  std::string commit) {
             return homed.ReadNotes(std::move(repository), std::move(before),
                                    std::move(commit));
           }}};
  attempts::QuestionService question_service{store, clock,
                                             [this] { WakeDeadlines(); },
                                             [this](const AttemptId& attempt) {
                                               if (attempt.empty())
                                                 feed.TouchAll();
                                               else
                                                 feed.Touch(attempt);
                                               WakeNotifier();
                                             }};
  attempts::DecisionService decision_service{
      store, clock, [this](const AttemptId& attempt) { feed.Touch(attempt); }};
  notify::Notifier notifier{
      strand,
      store,
      clock,
      {.ways = options.ways,
       .claim = std::chrono::milliseconds(shared ? 120'000 : 0)}};
  notify::NotificationService notification_service{store, clock,
                                                   [this] { WakeNotifier(); }};
  submissions::ReceiptService receipt_service{store, *ground.signer};
  submissions::SubmissionService submission_service{
      store, feed, submission_refs, clock, std::string(attempts::kGradedRef)};
  runs::RunService run_service{reader, feed};
  traces::TraceService trace_service{store};
  system::SystemService system_service{
      store, clock, {.version = options.version, .workers = [this] {
                       return WorkersOf(dispatcher);
                     }}};
  workers::WorkerService worker_service{
      store,
      clock,
      {.attached =
           [this] { return nodes::AttachedAnywhere(dispatcher, membership); },
       .on_changed =
           [this](const storage::WorkerRecord& record) {
             dispatcher.HoldBack(record.name, workers::HeldBack(record));
             exchange.TellWorkerChanged(record.name);
           },
       .enrolments = ground.enrolments.get(),
       .on_revoked =
           [this](std::string name) {
             Error why{Code::kPermissionDenied,
                       "the certificate of worker " + name + " was revoked"};
             return dispatcher.Expel(std::move(name), std::move(why));
           }}};
  nodes::NodeService node_service{store, clock, membership,
                                  [this] { return nodes::LoadOf(dispatcher); },
                                  [this] {
                                    membership.Wake();
                                    exchange.TellNodeChanged();
                                  }};
  overview::OverviewService overview_service{
      store, clock,
      [this] { return nodes::OffersAnywhere(dispatcher, membership); }};
  identity::AccountService account_service{
      store, clock, {.https = https, .cost = options.password_cost}};
  rpc::MethodRegistry methods;

  git_http::ReceivePack receive_pack{
      strand,
      recorder,
      repositories,
      repository_queue,
      store,
      clock,
      [this](AttemptId attempt, RunId run, runs::RunReader::Write write) {
        return reader.Watch(
            {.role = v1::ROLE_CANDIDATE, .attempt = attempt}, std::move(run),
            {.detail = runs::RunReader::Detail::kResults}, std::move(write));
      },
      {.spool_directory = ground.directory->spool(),
       .hooks_directory = ground.directory->hooks(),
       .public_url = public_url,
       .stay = options.push_stay,
       .index_limits = options.index_limits,
       .shown =
           [this](const RunId& run) {
             if (tracer) tracer->Shown(run);
           },
       .claim =
           [this](RepositoryId repository) {
             return homes.Claim(std::move(repository));
           },
       .keep =
           [this](RepositoryId repository) {
             return homes.Keep(std::move(repository));
           }}};
  git_http::GitHttp git{strand,
                        identity,
                        repositories,
                        receive_pack,
                        ground.directory->spool(),
                        [this](RepositoryId repository) {
                          return homes.Prepare(std::move(repository), "");
                        }};
  maintenance::Housekeeper housekeeper{
      strand,
      store,
      repositories,
      repository_queue,
      {.erase_expired = [this] { return records_service.EraseExpired(); },
       .repair_refs = [this] { return submission_refs.RepairAll(); },
       .data_dir = ground.directory->path(),
       .interval = options.housekeeping_interval,
       .node = node}};

  const gateway::Authenticate authenticate = [this](std::string header) {
    return identity.Authenticate(std::move(header));
  };
  gateway::MethodGate gate{methods, authenticate};
  gateway::ConnectHandler connect{strand, gate, https};
  metrics::MetricsPage metrics_page{
      store,
      clock,
      {.version = options.version,
       .leases = [this] { return dispatcher.counts(); },
       .workers = [this] { return LoadsOf(dispatcher); },
       .offers =
           [this] {
             return nodes::OffersAnywhere(dispatcher, membership).offers;
           },
       .nodes = [this] { return NodesOf(membership); },
       .draining = [this] { return drained; },
       .authenticate = authenticate,
       .spans = SpanCountsOf(exporter.get()),
       .probe = [this] { return ProbeCountsOf(probe.get()); },
       .oldest_transaction = [this] { return OldestTransaction(ground); }}};
  gateway::WebRoutes routes{
      connect,
      [this](gateway::HttpExchange& exchange) { return git.Handle(exchange); },
      dashboard::Assets(), options.public_url,
      [this](gateway::HttpExchange& exchange) {
        return metrics_page.Handle(exchange);
      }};
  dispatch::LeaseServiceImpl lease_service{
      strand, dispatcher, [this](dispatch::AttachHead head) {
        return Admit(this, std::move(head));
      }};
  bool scanning = false;
  gateway::OneShot<bool> scanned_all;
  std::unique_ptr<gateway::GrpcServer> grpc;
  std::unique_ptr<gateway::GrpcProbe> probe;
};

void Coordinator::Parts::RegisterServices() {
  assignment_service.Register(methods);
  invitation_service.Register(methods);
  lost_link_service.Register(methods);
  attempt_service.Register(methods);
  clock_service.Register(methods);
  records_service.Register(methods);
  source_service.Register(methods);
  version_service.Register(methods);
  question_service.Register(methods);
  notification_service.Register(methods);
  decision_service.Register(methods);
  submission_service.Register(methods);
  receipt_service.Register(methods);
  run_service.Register(methods);
  trace_service.Register(methods);
  system_service.Register(methods);
  worker_service.Register(methods);
  node_service.Register(methods);
  peer_service.Register(methods);
  suite_service.Register(methods);
  overview_service.Register(methods);
  account_service.Register(methods);
}

// What must be in order before the first request is answered.
asio::awaitable<Status> Coordinator::Parts::Settle() {
  ReachFaultPoint("start.opened");
  ASSAY_CO_RETURN_IF_ERROR(
      co_await identity.EnsureTokenFiles(ground.directory->path()));
  ASSAY_CO_RETURN_IF_ERROR(co_await membership.Join());
  if (ground.enrolments != nullptr) {
    ASSAY_CO_RETURN_IF_ERROR(co_await ground.enrolments->Announce());
  }
  const auto settled = co_await reconciler.SettleIntents();
  if (!settled)
    co_return std::unexpected(
        settled.error().Within("settling pushes that a crash left open"));
  if (settled->confirmed + settled->refused > 0)
    spdlog::info("settled open pushes: {} accepted, {} refused",
                 settled->confirmed, settled->refused);
  ASSAY_CO_RETURN_IF_ERROR(co_await dispatcher.Start());
  feed.OnQueued([this] { dispatcher.RunQueued(); });
  exchange.Start();
  // Nobody was told of what has been settled.
  if (settled->confirmed + settled->refused > 0) feed.TouchAll();
  if (shared) {
    // From now on the others put what they take where this node finds it.
    exchange.TellNodeChanged();
    ASSAY_CO_RETURN_IF_ERROR(co_await StartPeers());
    // A trial may be asked for at one node and pushed to another.
    auto trial = co_await repositories.CreateTemplate(attempts::TrialFiles());
    if (!trial) co_return std::unexpected(std::move(trial).error());
    ASSAY_CO_RETURN_IF_ERROR(co_await repositories.CreateRepository(
        RepositoryId(std::string(attempts::kTrialRepository)),
        *std::move(trial)));
  }
  deadlines.Start();
  ReachFaultPoint("start.settled");
  notifier.Start();
  co_return Status();
}

// What may be compared while requests are answered.
asio::awaitable<void> Coordinator::Parts::Scan() {
  const Status refs = co_await submission_refs.RepairAll();
  if (!refs) spdlog::error("submission refs: {}", refs.error().message);
  const auto scanned = co_await reconciler.ScanRepositories();
  if (!scanned)
    spdlog::error("scan of repositories: {}", scanned.error().message);
  const auto erased = co_await records_service.EraseExpired();
  if (!erased) spdlog::error("retention: {}", erased.error().message);
  scanned_all.Set(true);
}

// Over TLS a worker is who its certificate says; on this machine it has read
// the token's file.
rpc::Async<dispatch::WorkerProof> Coordinator::Parts::Admit(
    Parts* self, dispatch::AttachHead head) {
  if (!head.certificate.empty() && self->ground.enrolments != nullptr) {
    ASSAY_CO_ASSIGN_OR_RETURN(
        const workers::Certificate certificate,
        co_await self->ground.enrolments->Judge(std::move(head.certificate)));
    co_return dispatch::WorkerProof{.name = certificate.name,
                                    .fingerprint = certificate.fingerprint};
  }
  if (head.tls)
    co_return Fail(Code::kUnauthenticated,
                   "over TLS, workers show a certificate: enrol this one with "
                   "`assay worker enrol NAME` and assay-runner --enrol TOKEN");
  ASSAY_CO_ASSIGN_OR_RETURN(
      const rpc::Caller caller,
      co_await self->identity.Authenticate(std::move(head.authorization)));
  if (caller.role != v1::ROLE_WORKER)
    co_return PermissionDenied("the token has ", v1::Role_Name(caller.role),
                               ", attaching needs a worker's token "
                               "(ROLE_WORKER)");
  co_return dispatch::WorkerProof();
}

Status Coordinator::Parts::StartGrpc() {
  ASSAY_ASSIGN_OR_RETURN(grpc, gateway::GrpcServer::Start(
                                   strand, gate,
                                   {.address = options.grpc_address,
                                    .tls = ground.tls.get(),
                                    .local_address = options.local_grpc_address,
                                    .services = {&lease_service}}));
  probe = std::make_unique<gateway::GrpcProbe>(
      strand, HostOf(options.grpc_address), grpc->port(),
      [] {
        // Everything that had to be kept is durable; a supervisor starts anew.
        spdlog::critical("the gRPC port answers no more: leaving");
        std::_Exit(kDeafExitCode);
      },
      gateway::ProbeOptions{.tls = ground.tls != nullptr});
  return {};
}

asio::awaitable<Status> Coordinator::Parts::StartPeers() {
  const auto token = co_await identity.CreateNodeToken("nodes/" + node);
  if (!token) co_return std::unexpected(token.error());
  nodes::PeerOptions peer_options{.token = token->secret};
  if (ground.tls != nullptr) {
    ASSAY_CO_ASSIGN_OR_RETURN(
        peer_options.roots,
        nodes::PeerRoots(options.node_ca,
                         ground.tls->current()->certificate_pem));
  }
  peers.Start(std::move(peer_options));
  feed.OnWatched([this](const RunId& run) { peers.Follow(run); });
  co_return Status();
}

void Coordinator::Parts::StartMembership() {
  membership.Serve(
      AdvertisedAddress(options, options.grpc_address, grpc->port()),
      AdvertisedAddress(options, options.web_address, ground.web->port()),
      [this] { OnBeat(); },
      [] {
        // Its repositories are made again elsewhere; what it would still
        // write is refused.
        spdlog::critical(
            "this node was forgotten by `assay admin node forget`: leaving");
        std::_Exit(kDeafExitCode);
      });
}

void Coordinator::Parts::OnBeat() {
  // A worker that could not go elsewhere then may be able to now.
  constexpr int kBeatsBetweenHints = 30;
  // Whoever fell silent, or has started anew since, may have kept a note to
  // itself.
  std::map<std::string, Clock::TimePoint> live;
  for (const storage::NodeRecord& other : membership.others())
    if (membership.StandingOf(other) == nodes::Membership::Standing::kLive)
      live.emplace(other.name, other.start_time);
  const auto went_on = [&live](const auto& before) {
    const auto it = live.find(before.first);
    return it != live.end() && it->second == before.second;
  };
  if (!std::ranges::all_of(live_others, went_on)) feed.HearAnything();
  live_others = std::move(live);
  if (!membership.alone()) {
    exchange.Sweep();
    peers.Sync();
  }
  if (shared) gateway::Spawn(strand, "homes", homes.Sweep());
  if (!membership.draining()) return;
  if (!std::exchange(drained, true))
    spdlog::info("this node is drained: it grants no more leases");
  else if (++beats_drained % kBeatsBetweenHints != 0 &&
           membership.HasServingOthers() == others_serve)
    return;
  others_serve = membership.HasServingOthers();
  dispatcher.Drain(others_serve);
}

// gRPC's shutdown waits for calls that end on the strand: not here.
asio::awaitable<void> Coordinator::Parts::StopGrpc() {
  constexpr std::chrono::milliseconds kGrace{1'000};
  gateway::OneShot<bool> stopped;
  std::thread stopper([&] {
    grpc->Shutdown(kGrace);
    asio::post(strand, [&] { stopped.Set(true); });
  });
  co_await stopped.Take();
  stopper.join();
}

namespace {

// Receipts of one installation are signed with one key: the first node's.
asio::awaitable<Status> ShareReceiptKey(Ground& ground) {
  if (ground.store->bulletin() == nullptr) co_return Status();
  const auto file = ground.directory->receipt_key();
  std::string own;
  std::ifstream(file) >> own;
  const auto key =
      co_await ground.store->Write([own](storage::Transaction& tx) {
        return tx.nodes.ShareSecret("receipt.key", own);
      });
  if (!key) co_return std::unexpected(key.error());
  if (*key == own) co_return Status();
  auto signer = submissions::ReceiptSigner::Replace(file, *key);
  if (!signer) co_return std::unexpected(signer.error());
  *ground.signer = *std::move(signer);
  co_return Status();
}

}  // namespace

asio::awaitable<Expected<std::unique_ptr<Coordinator>>> Coordinator::Start(
    asio::any_io_executor strand, const Clock& clock, Options options) {
  auto ground = OpenGround(strand, options, clock);
  if (!ground) co_return std::unexpected(std::move(ground).error());
  if (Status shared = co_await ShareReceiptKey(*ground); !shared)
    co_return std::unexpected(std::move(shared).error());
  auto parts = std::make_unique<Parts>(strand, clock, std::move(options),
                                       *std::move(ground));
  parts->RegisterServices();
  Status started = co_await parts->Settle();
  if (started) started = parts->StartGrpc();
  std::unique_ptr<Coordinator> coordinator(new Coordinator(std::move(parts)));
  if (!started) {
    co_await coordinator->Stop();
    co_return std::unexpected(std::move(started).error());
  }
  Parts& running = *coordinator->parts_;
  running.ground.web->Serve([&running](gateway::HttpExchange& exchange) {
    return running.routes.Handle(exchange);
  });
  running.StartMembership();
  running.scanning = true;
  gateway::Spawn(strand, "scan", running.Scan());
  running.housekeeper.Start();
  co_return coordinator;
}

Coordinator::Coordinator(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)) {}
Coordinator::~Coordinator() = default;

int Coordinator::grpc_port() const { return parts_->grpc->port(); }
int Coordinator::web_port() const { return parts_->ground.web->port(); }
int Coordinator::local_grpc_port() const { return parts_->grpc->local_port(); }
const std::string& Coordinator::public_url() const {
  return parts_->public_url;
}
const rpc::MethodRegistry& Coordinator::methods() const {
  return parts_->methods;
}

Status Coordinator::ReloadCertificate() {
  return parts_->ground.tls == nullptr ? Status()
                                       : parts_->ground.tls->Reload();
}

asio::awaitable<void> Coordinator::Stop() {
  parts_->probe.reset();
  if (parts_->grpc) parts_->grpc->AnnounceDrain();
  parts_->dispatcher.Drain();
  parts_->feed.Close();
  co_await parts_->ground.web->Drain(parts_->options.grace);
  if (parts_->scanning) {
    parts_->submission_refs.Stop();
    parts_->reconciler.Stop();
    co_await parts_->scanned_all.Take();
    co_await parts_->housekeeper.Stop();
  }
  parts_->membership.Stop();
  parts_->homes.Stop();
  co_await parts_->peers.Stop();
  parts_->exchange.Stop();
  parts_->deadlines.Stop();
  parts_->notifier.Stop();
  parts_->dispatcher.Stop();
  if (parts_->grpc) co_await parts_->StopGrpc();
}

}  // namespace assay::coordinator
