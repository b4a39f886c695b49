#include "services/coordinator/ports.h"

#include <spdlog/spdlog.h>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "services/coordinator/addresses.h"
#include "services/coordinator/exit_codes.h"
#include "services/coordinator/readings.h"
#include "services/coordinator/worker_admission.h"
#include "services/dashboard/assets.h"
#include "services/gateway/one_shot.h"
#include "services/nodes/node_load.h"

namespace assay::coordinator {
Ports::Ports(Core& of, DomainServices& asked)
    : core(of),
      services(asked),
      receive_pack{
          core.strand,
          core.recorder,
          core.repositories,
          core.repository_queue,
          core.store,
          core.clock,
          [this](AttemptId attempt, RunId run, runs::RunReader::Write write) {
            return core.reader.Watch(
                {.role = v1::ROLE_CANDIDATE, .attempt = attempt},
                std::move(run), {.detail = runs::RunReader::Detail::kResults},
                std::move(write));
          },
          {.spool_directory = core.ground.directory->spool(),
           .hooks_directory = core.ground.directory->hooks(),
           .public_url = core.public_url,
           .stay = core.options.push_stay,
           .index_limits = core.options.index_limits,
           .shown =
               [this](const RunId& run) {
                 if (core.tracer) core.tracer->Shown(run);
               },
           .claim =
               [this](RepositoryId repository) {
                 return core.homes.Claim(std::move(repository));
               },
           .keep =
               [this](RepositoryId repository) {
                 return core.homes.Keep(std::move(repository));
               }}},
      git{core.strand,
          core.identity,
          core.repositories,
          receive_pack,
          core.ground.directory->spool(),
          [this](RepositoryId repository) {
            return core.homes.Prepare(std::move(repository), "");
          }},
      authenticate([this](std::string header) {
        return core.identity.Authenticate(std::move(header));
      }),
      gate{services.methods, authenticate},
      connect{core.strand, gate, core.https},
      metrics_page{core.store,
                   core.clock,
                   {.version = core.options.version,
                    .leases = [this] { return core.dispatcher.counts(); },
                    .workers = [this] { return LoadsOf(core.dispatcher); },
                    .offers =
                        [this] {
                          return nodes::OffersAnywhere(core.dispatcher,
                                                       core.membership)
                              .offers;
                        },
                    .nodes = [this] { return NodesOf(core.membership); },
                    .draining = [this] { return core.drained; },
                    .authenticate = authenticate,
                    .spans = SpanCountsOf(core.exporter.get()),
                    .probe = [this] { return ProbeCountsOf(probe.get()); },
                    .oldest_transaction =
                        [this] { return core.ground.OldestTransaction(); }}},
      routes{connect,
             [this](gateway::HttpExchange& exchange) {
               return git.Handle(exchange);
             },
             dashboard::Assets(), core.options.public_url,
             [this](gateway::HttpExchange& exchange) {
               return metrics_page.Handle(exchange);
             }},
      lease_service{core.strand, core.dispatcher,
                    [this](dispatch::AttachHead head) {
                      return Admit(core.identity, core.ground.enrolments.get(),
                                   std::move(head));
                    }} {}

void Ports::ServeWeb() {
  core.ground.web->Serve([this](gateway::HttpExchange& exchange) {
    return routes.Handle(exchange);
  });
}

Status Ports::StartGrpc() {
  ASSAY_ASSIGN_OR_RETURN(grpc,
                         gateway::GrpcServer::Start(
                             core.strand, gate,
                             {.address = core.options.grpc_address,
                              .tls = core.ground.tls.get(),
                              .local_address = core.options.local_grpc_address,
                              .services = {&lease_service}}));
  probe = std::make_unique<gateway::GrpcProbe>(
      core.strand, HostOf(core.options.grpc_address), grpc->port(),
      [] {
        // Everything that had to be kept is durable; a supervisor starts anew.
        spdlog::critical("the gRPC port answers no more: leaving");
        std::_Exit(kDeafExitCode);
      },
      gateway::ProbeOptions{.tls = core.ground.tls != nullptr});
  return {};
}

void Ports::AnnounceDrain() {
  probe.reset();
  if (grpc) grpc->AnnounceDrain();
}

// gRPC's shutdown waits for calls that end on the core.strand: not here.
boost::asio::awaitable<void> Ports::StopGrpc() {
  constexpr std::chrono::milliseconds kGrace{1'000};
  gateway::OneShot<bool> stopped;
  std::thread stopper([&] {
    grpc->Shutdown(kGrace);
    boost::asio::post(core.strand, [&] { stopped.Set(true); });
  });
  co_await stopped.Take();
  stopper.join();
}

}  // namespace assay::coordinator
