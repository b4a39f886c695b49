#ifndef ASSAY_SERVICES_GIT_HTTP_RECEIVE_PACK_H_
#define ASSAY_SERVICES_GIT_HTTP_RECEIVE_PACK_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "assay/v1/run_service.pb.h"
#include "proto/base/clock.h"
#include "services/attempts/push_recorder.h"
#include "services/gateway/http_exchange.h"
#include "services/git_http/body_spool.h"
#include "services/git_http/index_limits.h"
#include "services/git_http/push_policy.h"
#include "services/git_http/push_request.h"
#include "services/git_http/repository_queue.h"
#include "services/git_http/turnstile.h"
#include "services/identity/identity.h"
#include "services/repositories/repositories.h"

namespace assay::git_http {

// Shows a run to the candidate of `attempt`: as it is, then as it goes on,
// until it has finished or `write` fails.
using WatchRun = std::function<gateway::Async<void>(
    AttemptId attempt, RunId run,
    std::function<gateway::Async<void>(v1::WatchRunResponse)> write)>;

struct ReceiveOptions {
  // Bodies are kept here while they are read; on the repositories' disk.
  std::filesystem::path spool_directory;
  // Holds what InstallHook wrote.
  std::filesystem::path hooks_directory;
  // "http://127.0.0.1:7080": where results can be looked at.
  std::string public_url;
  // How long a push stays to hear its results.
  std::chrono::milliseconds stay{10 * 60'000};
  // Pushes that are indexed at the same time.
  int max_at_once = 4;
  IndexLimits index_limits;
  // Called when whoever pushed has been told how the run ended.
  std::function<void(const RunId& run)> shown = nullptr;
  // Where several coordinators share the repositories; absent: there is one.
  // Makes this one the home of a repository, before a push to it is recorded.
  std::function<gateway::Async<void>(RepositoryId)> claim = {};
  // Puts what a push has brought where the others find it, before the push is
  // confirmed.
  std::function<gateway::Async<void>(RepositoryId)> keep = {};
};

// Takes pushes. In this order, so that no moment at which anything dies loses
// one: body read, receive time taken, intent durable, objects received by git
// and judged by us, ref moved by git, push confirmed and its run queued, report
// sent, results told. Pushes to one repository go through this one by one.
//
// Once the body is here the client may leave: the rest happens without it.
//
// Ownership: borrows all that it is made of. Threads: confined to `strand`.
class ReceivePack {
 public:
  ReceivePack(boost::asio::any_io_executor strand,
              attempts::PushRecorder& recorder,
              repositories::Repositories& repositories, RepositoryQueue& queue,
              storage::Store& store, const Clock& clock, WatchRun watch_run,
              ReceiveOptions options);

  boost::asio::awaitable<void> Handle(gateway::HttpExchange& exchange,
                                      identity::GitAccess access);

 private:
  struct Landed;

  boost::asio::awaitable<void> Take(gateway::HttpExchange& exchange,
                                    identity::GitAccess access,
                                    PushPolicy policy);
  // Lets git index the body and move the ref.
  boost::asio::awaitable<Landed> Land(gateway::HttpExchange& exchange,
                                      const PushRequest& request,
                                      const SpooledBody& body,
                                      RepositoryId repository,
                                      PushPolicy policy);
  boost::asio::awaitable<bool> HasAllTags(RepositoryId repository);
  // Records what became of a push: accepted, or refused for `refusal`.
  gateway::Async<attempts::ConfirmedPush> SettleOnce(PushId push,
                                                     std::string refusal);
  // The same, again and again while the store cannot be written.
  gateway::Async<attempts::ConfirmedPush> Settle(PushId push,
                                                 std::string refusal);
  boost::asio::awaitable<void> SettleLater(
      RepositoryId repository, PushId push, std::string refusal,
      std::optional<RepositoryQueue::Place> place);
  boost::asio::awaitable<void> Sleep(std::chrono::milliseconds pause);
  boost::asio::awaitable<void> Describe(RepositoryId repository, PushId push,
                                        std::string commit);
  // Tells what became of a push that was accepted, and of its run.
  boost::asio::awaitable<void> TellResults(gateway::HttpExchange& exchange,
                                           AttemptId attempt,
                                           attempts::ConfirmedPush push);
  boost::asio::awaitable<void> Narrate(gateway::HttpExchange& exchange,
                                       AttemptId attempt, RunId run);

  const boost::asio::any_io_executor strand_;
  attempts::PushRecorder& recorder_;
  repositories::Repositories& repositories_;
  RepositoryQueue& queue_;
  storage::Store& store_;
  const Clock& clock_;
  const WatchRun watch_run_;
  const ReceiveOptions options_;
  Turnstile turnstile_;
  // Repositories with a push of which the store does not know the end.
  std::set<RepositoryId> unsettled_;
  // For those who go on by themselves: gone with this.
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>();
};

}  // namespace assay::git_http

#endif  // ASSAY_SERVICES_GIT_HTTP_RECEIVE_PACK_H_
