#ifndef ASSAY_SERVICES_COORDINATOR_CORE_H_
#define ASSAY_SERVICES_COORDINATOR_CORE_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "services/attempts/push_recorder.h"
#include "services/coordinator/ground.h"
#include "services/coordinator/options.h"
#include "services/deadlines/deadlines.h"
#include "services/dispatch/dispatcher.h"
#include "services/git_http/reconciler.h"
#include "services/git_http/repository_queue.h"
#include "services/identity/identity.h"
#include "services/nodes/homed_repositories.h"
#include "services/nodes/homes.h"
#include "services/nodes/membership.h"
#include "services/nodes/note_exchange.h"
#include "services/nodes/peers.h"
#include "services/notify/notifier.h"
#include "services/repositories/repositories.h"
#include "services/runs/plan_cache.h"
#include "services/runs/run_feed.h"
#include "services/runs/run_queue.h"
#include "services/runs/run_reader.h"
#include "services/submissions/submission_refs.h"
#include "services/telemetry/run_tracer.h"
#include "services/telemetry/span_exporter.h"
#include "services/workers/worker_book.h"

namespace assay::coordinator {

// What works without being asked: the runs, the leases, the deadlines, the
// repositories and their homes, the word of other nodes, the messages.
//
// Its members stand in the order in which each needs the ones before it.
//
// Threads: confined to `strand`. Ownership: borrows the clock of a lone store.
struct Core {
  Core(boost::asio::any_io_executor on, const Clock& time, Options given,
       Ground base);

  // Here, and at the other nodes.
  void WakeDeadlines();
  void WakeNotifier();
  // What must be in order before the first request is answered.
  boost::asio::awaitable<Status> Settle();
  // Tells the other nodes where this one's ports are, and heeds what they say.
  void StartMembership(int grpc_port);
  // Returns when nothing of it runs.
  boost::asio::awaitable<void> Stop();

  const boost::asio::any_io_executor strand;
  const Ground ground;
  const Clock& clock;
  const Options options;
  const std::string public_url;
  const bool https;
  storage::Store& store;
  const std::unique_ptr<telemetry::SpanExporter> exporter;
  const std::unique_ptr<telemetry::RunTracer> tracer;
  repositories::Repositories& repositories;
  const std::string& node;
  const bool shared;
  nodes::Membership membership;
  git_http::RepositoryQueue repository_queue;
  nodes::Homes homes;
  bool drained = false;
  identity::Identity identity;
  runs::RunFeed feed;
  nodes::Peers peers;
  nodes::PeerService peer_service;
  runs::PlanCache plans;
  runs::RunQueue queue;
  runs::RunReader reader;
  attempts::PushRecorder recorder;
  submissions::SubmissionRefs submission_refs;
  deadlines::Deadlines deadlines;
  workers::WorkerBook worker_book;
  dispatch::Dispatcher dispatcher;
  nodes::NoteExchange exchange;
  git_http::Reconciler reconciler;
  nodes::HomedRepositories homed;
  notify::Notifier notifier;

 private:
  boost::asio::awaitable<Status> StartPeers();
  void OnBeat();

  // When each started.
  std::map<std::string, Clock::TimePoint> live_others_;
  bool others_serve_ = false;
  int beats_drained_ = 0;
};

}  // namespace assay::coordinator

#endif  // ASSAY_SERVICES_COORDINATOR_CORE_H_
