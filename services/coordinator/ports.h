#ifndef ASSAY_SERVICES_COORDINATOR_PORTS_H_
#define ASSAY_SERVICES_COORDINATOR_PORTS_H_

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "services/coordinator/core.h"
#include "services/coordinator/domain_services.h"
#include "services/dispatch/lease_service.h"
#include "services/gateway/connect_handler.h"
#include "services/gateway/grpc_probe.h"
#include "services/gateway/grpc_server.h"
#include "services/gateway/http_server.h"
#include "services/gateway/method_gate.h"
#include "services/gateway/web_routes.h"
#include "services/git_http/git_http.h"
#include "services/git_http/receive_pack.h"
#include "services/metrics/metrics_page.h"

namespace assay::coordinator {

// What people, git and workers reach: the web port with the dashboard, the API
// and the repositories, and the port of gRPC.
//
// Threads: confined to the core's strand. Ownership: borrows core and services.
struct Ports {
  Ports(Core& core, DomainServices& services);

  // The web port, which is listened on already, answers from here on.
  void ServeWeb();
  Status StartGrpc();
  // Both say that they take nothing new.
  void AnnounceDrain();
  boost::asio::awaitable<void> StopGrpc();

  Core& core;
  DomainServices& services;

  git_http::ReceivePack receive_pack;
  git_http::GitHttp git;
  const gateway::Authenticate authenticate;
  gateway::MethodGate gate;
  gateway::ConnectHandler connect;
  metrics::MetricsPage metrics_page;
  gateway::WebRoutes routes;
  dispatch::LeaseServiceImpl lease_service;

  std::unique_ptr<gateway::GrpcServer> grpc;
  std::unique_ptr<gateway::GrpcProbe> probe;
};

}  // namespace assay::coordinator

#endif  // ASSAY_SERVICES_COORDINATOR_PORTS_H_
