#include "services/coordinator/core.h"

#include <spdlog/spdlog.h>
#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>

#include "proto/base/fault_point.h"
#include "services/attempts/attempt_service.h"
#include "services/attempts/trial.h"
#include "services/coordinator/addresses.h"
#include "services/coordinator/exit_codes.h"
#include "services/coordinator/worker_admission.h"
#include "services/dispatch/sources.h"
#include "services/gateway/spawn.h"
#include "services/nodes/node_load.h"
#include "services/nodes/peer_roots.h"
#include "services/storage/bulletin.h"

namespace assay::coordinator {
Core::Core(boost::asio::any_io_executor on, const Clock& time, Options given,
           Ground base)
    : strand(std::move(on)),
      ground(std::move(base)),
      clock(ClockOf(*ground.store, time)),
      options(std::move(given)),
      public_url(options.public_url.empty() ? UrlOf(options, ground.web->port())
                                            : options.public_url),
      https(public_url.starts_with("https://")),
      store(*ground.store),
      exporter(options.otlp
                   ? std::make_unique<telemetry::SpanExporter>(*options.otlp)
                   : nullptr),
      tracer(exporter ? std::make_unique<telemetry::RunTracer>(
                            strand, store, clock,
                            [this](otlp::v1::Span span) {
                              exporter->Offer(std::move(span));
                            })
                      : nullptr),
      repositories(*ground.repositories),
      node(ground.node.name),
      shared(store.bulletin() != nullptr),
      membership{strand,
                 store,
                 *ground.blobs,
                 clock,
                 ground.node,
                 {.version = options.version,
                  .heartbeat = std::chrono::milliseconds(shared ? 1'000 : 0),
                  .lost_after = options.node_lost_after,
                  .load = [this] { return nodes::LoadOf(dispatcher); }}},
      repository_queue{strand},
      homes{store,
            *ground.blobs,
            repositories,
            repository_queue,
            membership,
            clock,
            {.settle =
                 [this](RepositoryId repository) {
                   return homed.Settle(std::move(repository));
                 }}},
      identity{store, clock},
      feed{strand},
      peers{strand, membership, feed},
      peer_service{feed},
      plans{*ground.blobs},
      queue{store, plans, feed, clock},
      reader{store, plans, feed},
      recorder{store, feed, clock, node},
      submission_refs{
          store,
          [this](RepositoryId repository, int number, std::string commit) {
            return homed.WriteSubmissionRef(std::move(repository), number,
                                            std::move(commit));
          },
          node},
      deadlines{
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
           .node = node}},
      worker_book{store, clock},
      dispatcher{strand,
                 queue,
                 worker_book,
                 clock,
                 dispatch::MakeContentSources(
                     store, *ground.blobs, repositories,
                     [this](RepositoryId repository, std::string commit) {
                       return homed.AwaitCommit(std::move(repository),
                                                std::move(commit));
                     }),
                 {.observer = tracer.get(),
                  .version = options.version,
                  .has_others = [this] { return membership.HasLiveOthers(); },
                  .certificates = CertificatesOf(ground.enrolments.get())}},
      exchange{
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
               }}},
      reconciler{recorder, repositories, store, clock},
      homed{strand,
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
             .removal_patience = options.removal_patience}},
      notifier{strand,
               store,
               clock,
               {.ways = options.ways,
                .claim = std::chrono::milliseconds(shared ? 120'000 : 0)}} {
  queue.Observe(tracer.get());
  recorder.Observe(tracer.get());
}

void Core::WakeDeadlines() {
  deadlines.Wake();
  exchange.TellClockChanged();
}

void Core::WakeNotifier() {
  notifier.Wake();
  exchange.TellMessageWaits();
}

boost::asio::awaitable<Status> Core::Settle() {
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

boost::asio::awaitable<Status> Core::StartPeers() {
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

void Core::StartMembership(int grpc_port) {
  membership.Serve(
      AdvertisedAddress(options, options.grpc_address, grpc_port),
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

void Core::OnBeat() {
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
  if (!std::ranges::all_of(live_others_, went_on)) feed.HearAnything();
  live_others_ = std::move(live);
  if (!membership.alone()) {
    exchange.Sweep();
    peers.Sync();
  }
  if (shared) gateway::Spawn(strand, "homes", homes.Sweep());
  if (!membership.draining()) return;
  if (!std::exchange(drained, true))
    spdlog::info("this node is drained: it grants no more leases");
  else if (++beats_drained_ % kBeatsBetweenHints != 0 &&
           membership.HasServingOthers() == others_serve_)
    return;
  others_serve_ = membership.HasServingOthers();
  dispatcher.Drain(others_serve_);
}

boost::asio::awaitable<void> Core::Stop() {
  membership.Stop();
  homes.Stop();
  co_await peers.Stop();
  exchange.Stop();
  deadlines.Stop();
  notifier.Stop();
  dispatcher.Stop();
}

}  // namespace assay::coordinator
