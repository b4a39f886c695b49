#include "services/git_http/receive_pack.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstddef>
#include <optional>
#include <utility>

#include "proto/base/fault_point.h"
#include "services/attempts/time_text.h"
#include "services/gateway/run_while_connected.h"
#include "services/gateway/spawn.h"
#include "services/git_http/git_receive.h"
#include "services/git_http/pkt_line.h"
#include "services/git_http/push_narrator.h"
#include "services/git_http/push_report.h"

namespace assay::git_http {
namespace {

namespace asio = boost::asio;
using gateway::HttpExchange;

// Beside the pack: the list of refs.
constexpr std::int64_t kHeadAllowance = kMaxPushHead;
// Pushes that have one repository or wait for it.
constexpr int kMaxWaiting = 8;
// Between tries to watch a run that cannot be read for the moment.
constexpr std::chrono::milliseconds kWatchPause{1'000};

constexpr std::string_view kNoRoom =
    "the server has no room for it now\n"
    "Nothing was changed. Tell those who invited you, and push again later.";
constexpr std::string_view kTooMany =
    "several pushes to this repository are under way\n"
    "Wait for them to end, and push again.";
constexpr std::string_view kNoRecord =
    "the server cannot record it now\n"
    "Nothing was changed. Push again in a minute.";
constexpr std::string_view kUnknown =
    "it is not known yet whether this push counts. Push again: what has "
    "arrived is not taken twice.\n";
constexpr const char* kMoved =
    "the repository moved to another server; push again";
constexpr std::string_view kMoving =
    "another server has this repository and cannot hand it over now\n"
    "Nothing was changed. Push again in a minute.";

gateway::HeaderFields ResultFields() {
  return {{"Content-Type", "application/x-git-receive-pack-result"},
          {"Cache-Control", "no-store"}};
}

asio::awaitable<void> RespondResult(HttpExchange& exchange, std::string body) {
  static_cast<void>(co_await exchange.Respond(
      {.fields = ResultFields(), .body = std::move(body)}));
}

asio::awaitable<void> RespondError(HttpExchange& exchange, const Error& error) {
  int status = 503;
  if (error.code == Code::kInvalidArgument) status = 400;
  if (error.code == Code::kDeadlineExceeded) status = 408;
  if (error.code == Code::kResourceExhausted) status = 413;
  static_cast<void>(co_await exchange.Respond(
      {.status = status,
       .fields = {{"Content-Type", "text/plain; charset=utf-8"}},
       .body = "Nothing was changed: " + error.message + ".\n"}));
}

std::string Message(std::string_view lines) {
  return BandOf(Band::kMessage, lines);
}

// "too late: ...; what you pushed..." on two lines, the second one a sentence.
std::string AsLines(std::string refusal) {
  if (const auto at = refusal.find("; "); at != std::string::npos)
    refusal.replace(at, 2, "\n");
  return refusal;
}

std::string OwnReport(const RefUpdate& update, const std::string& refusal) {
  return PacketOf("unpack ok\n") +
         PacketOf(refusal.empty() ? "ok " + update.ref + "\n"
                                  : "ng " + update.ref + " " + refusal + "\n") +
         std::string(kFlush);
}

GitCommand CommandFor(const std::filesystem::path& repository,
                      const ReceiveOptions& options, const SpooledBody& body,
                      const PushPolicy& policy) {
  return {.arguments = {"receive-pack", "--stateless-rpc"},
          .repository = repository,
          .config = {"receive.maxInputSize=" + std::to_string(policy.max_bytes),
                     policy.allow_force ? "receive.denyNonFastForwards=false"
                                        : "receive.denyNonFastForwards=true",
                     "core.hooksPath=" + options.hooks_directory.string()},
          .input = body.fd(),
          .max_file_bytes = 2 * policy.max_bytes + (64 << 20),
          .max_memory_bytes = options.index_limits.memory_bytes,
          .max_cpu_seconds = options.index_limits.cpu_seconds};
}

// What git's short words mean for somebody who reads them once a year.
std::string_view Explain(std::string_view reason) {
  if (reason.contains("unpacks to more") || reason.contains("nested more") ||
      reason.contains("list of files") || reason.contains("takes too long"))
    return "Leave generated files and dependencies out of the commit; nothing "
           "was changed.\n";
  if (reason.contains("does not match") || reason.contains("its first line"))
    return "This assignment has a rule for the first line of each commit's "
           "message. Rewrite\nyours with git commit --amend or git rebase "
           "--interactive, and push again.\n";
  if (reason.contains("is a merge"))
    return "This assignment takes a straight history. Run git rebase "
           "origin/main, and push\nagain.\n";
  if (reason == "already exists")
    return "This tag is there already, and stays as it was pushed. Push "
           "another one under a\nname of its own.\n";
  if (reason == "non-fast-forward")
    return "This would rewrite history, which this assignment does not allow.\n"
           "Run git pull first, then push without --force.\n";
  if (reason.starts_with("unpacker error") || reason.contains("index-pack"))
    return "Git could not take the pushed objects in: they are damaged, or "
           "take more memory\nor time to unpack than a push may. Nothing was "
           "changed.\n";
  if (reason.contains("failed to update ref") || reason.contains("lock"))
    return "Another push was under way. Run git pull, and push again.\n";
  return "";
}

}  // namespace

struct ReceivePack::Landed {
  // Why the ref has not moved; empty when it has.
  std::string refusal;
  // For the client, in git's own words where there are any.
  std::string report;
};

ReceivePack::ReceivePack(asio::any_io_executor strand,
                         attempts::PushRecorder& recorder,
                         repositories::Repositories& repositories,
                         RepositoryQueue& queue, storage::Store& store,
                         const Clock& clock, WatchRun watch_run,
                         ReceiveOptions options)
    : strand_(std::move(strand)),
      recorder_(recorder),
      repositories_(repositories),
      queue_(queue),
      store_(store),
      clock_(clock),
      watch_run_(std::move(watch_run)),
      options_(std::move(options)),
      turnstile_(strand_, options_.max_at_once) {}

asio::awaitable<void> ReceivePack::Handle(HttpExchange& exchange,
                                          identity::GitAccess access) {
  auto policy = co_await ReadPushPolicy(store_, access.repository);
  if (!policy) co_return co_await RespondError(exchange, policy.error());
  co_await Take(exchange, std::move(access), *policy);
}

asio::awaitable<void> ReceivePack::Take(HttpExchange& exchange,
                                        identity::GitAccess access,
                                        PushPolicy policy) {
  const auto body = co_await SpoolBody(exchange, options_.spool_directory,
                                       policy.max_bytes + kHeadAllowance);
  const Clock::TimePoint receive_time = clock_.Now();
  if (!body) co_return co_await RespondError(exchange, body.error());
  // The deadline waits for this push from here until it is confirmed.
  const auto arrival = recorder_.Arrive(access.repository, receive_time);
  ReachFaultPoint("push.read");

  const std::string& head = (*body)->head();
  const auto request =
      ParsePushRequest(head, (*body)->bytes() <= std::ssize(head));
  if (!request) co_return co_await RespondError(exchange, request.error());
  if (request->is_probe()) co_return co_await RespondResult(exchange, "");
  std::string refusal = RefusedByShape(*request, policy);
  if (refusal.empty() && (*body)->too_large())
    refusal = RefusedBySize(policy.max_bytes);
  if (refusal.empty() && (*body)->disk_full()) refusal = kNoRoom;
  if (!refusal.empty())
    co_return co_await RespondResult(exchange, RefusalOf(*request, refusal));

  // Pushes to a repository are recorded and land one after the other, in the
  // order in which they arrived.
  if (options_.claim) {
    const Status claimed = co_await options_.claim(access.repository);
    if (!claimed) {
      spdlog::warn("a push to {}: {}", access.repository.str(),
                   claimed.error().message);
      co_return co_await RespondResult(exchange, RefusalOf(*request, kMoving));
    }
  }
  if (queue_.CountOf(access.repository) >= kMaxWaiting)
    co_return co_await RespondResult(exchange, RefusalOf(*request, kTooMany));
  std::optional<RepositoryQueue::Place> place(
      co_await queue_.Enter(access.repository));
  if (unsettled_.contains(access.repository))
    co_return co_await RespondResult(exchange, RefusalOf(*request, kNoRecord));
  const auto size = co_await repositories_.Prepare(access.repository);
  if (!size) co_return co_await RespondError(exchange, size.error());
  if (*size > policy.max_repository_bytes)
    co_return co_await RespondResult(
        exchange,
        RefusalOf(*request, RefusedByQuota(policy.max_repository_bytes)));

  const RefUpdate& update = request->updates.front();
  if (IsTag(update.ref) && co_await HasAllTags(access.repository))
    co_return co_await RespondResult(exchange,
                                     RefusalOf(*request, RefusedByTags()));
  const auto intent =
      co_await recorder_.RecordPushIntent({.repository = access.repository,
                                           .ref = update.ref,
                                           .old_commit = update.old_commit,
                                           .new_commit = update.new_commit,
                                           .receive_time = receive_time});
  if (!intent) {
    spdlog::error("record a push to {}: {}", access.repository.str(),
                  intent.error().message);
    co_return co_await RespondResult(exchange, RefusalOf(*request, kNoRecord));
  }
  if (!intent->refusal.empty())
    co_return co_await RespondResult(
        exchange, RefusalOf(*request, AsLines(intent->refusal)));

  ReachFaultPoint("push.intent");
  static_cast<void>(co_await exchange.StartResponse(200, ResultFields()));
  Landed landed =
      co_await Land(exchange, *request, **body, access.repository, policy);
  std::string answer;
  if (landed.refusal.empty()) ReachFaultPoint("push.landed");
  if (landed.refusal.empty() && options_.keep) {
    const Status kept = co_await options_.keep(access.repository);
    if (!kept)
      spdlog::error("keeping {} for other nodes: {}", access.repository.str(),
                    kept.error().message);
  }
  if (landed.refusal.empty()) ReachFaultPoint("push.kept");
  auto confirmed = co_await Settle(intent->push, landed.refusal);
  ReachFaultPoint("push.confirmed");
  // Another node has the repository by now, and knew nothing of this push, or
  // knows, and has not said yet.
  const bool elsewhere = !confirmed && options_.keep && landed.refusal.empty();
  const bool unknown =
      elsewhere && confirmed.error().code != Code::kFailedPrecondition;
  if (elsewhere && !unknown) landed.report = OwnReport(update, kMoved);
  if (!confirmed && confirmed.error().code == Code::kUnavailable)
    gateway::Spawn(strand_, "settle a push",
                   SettleLater(access.repository, intent->push, landed.refusal,
                               std::move(place)));
  else
    place.reset();
  // No report is what git takes for no answer.
  if (unknown) {
    if (request->side_band)
      static_cast<void>(
          co_await exchange.Write(BandOf(Band::kFatal, kUnknown)));
    co_return static_cast<void>(co_await exchange.Finish());
  }
  if (request->side_band) {
    if (const std::string_view words = Explain(landed.refusal); !words.empty())
      answer = Message(words);
    answer += BandOf(Band::kReport, landed.report);
    if (landed.refusal.empty())
      answer += Message("Received " + attempts::TimeText(receive_time) + "\n");
  } else {
    answer += landed.report;
  }
  static_cast<void>(co_await exchange.Write(std::move(answer)));
  ReachFaultPoint("push.reported");
  const bool accepted = landed.refusal.empty() && confirmed;
  if (accepted)
    gateway::Spawn(
        strand_, "describe push",
        Describe(access.repository, intent->push, update.new_commit));
  if (request->side_band) {
    if (accepted)
      co_await TellResults(exchange, access.attempt, *std::move(confirmed));
    static_cast<void>(co_await exchange.Write(std::string(kFlush)));
  }
  static_cast<void>(co_await exchange.Finish());
}

asio::awaitable<ReceivePack::Landed> ReceivePack::Land(
    HttpExchange& exchange, const PushRequest& request, const SpooledBody& body,
    RepositoryId repository, PushPolicy policy) {
  const RefUpdate& update = request.updates.front();
  const auto path = repositories_.Path(repository);
  if (!path)
    co_return Landed{.refusal = path.error().message,
                     .report = OwnReport(update, path.error().message)};
  // Git's programs take a process and a core each.
  const auto turn = co_await turnstile_.Enter();
  const JudgeIncoming judge = [&](std::filesystem::path quarantine) {
    return repositories_.CheckIncoming(
        repository, std::move(quarantine), update.old_commit, update.new_commit,
        {.commits = policy.commits,
         .tag = IsTag(update.ref),
         .max_time = options_.index_limits.judge_time});
  };
  const GitReceived received = co_await RunReceivePack(
      strand_, exchange, CommandFor(*path, options_, body, policy),
      request.side_band, judge);
  if (!received.refusal.empty())
    co_return Landed{.refusal = received.refusal,
                     .report = OwnReport(update, received.refusal)};
  if (const auto report = ParseReport(received.report); report) {
    Landed landed{.report = received.report};
    const auto ref = report->refs.find(update.ref);
    if (ref != report->refs.end()) landed.refusal = ref->second;
    if (!report->unpack_error.empty())
      landed.refusal = "unpacker error: " + report->unpack_error;
    if (ref == report->refs.end() && landed.refusal.empty())
      landed.refusal = "git did not say what became of the ref";
    co_return landed;
  }
  // It died before it could tell: the repository itself knows. What it left
  // there would stop every later push.
  std::string refusal =
      received.ended ? "git did not report" : received.ended.error().message;
  spdlog::warn("push to {}: {}", repository.str(), refusal);
  const Status tidied = co_await repositories_.RemoveLeftovers(repository);
  if (!tidied) spdlog::error("after a push: {}", tidied.error().message);
  const auto refs = co_await repositories_.ReadRefs(repository);
  if (refs)
    for (const repositories::RefTip& tip : *refs)
      if (tip.name == update.ref && tip.commit == update.new_commit)
        refusal.clear();
  co_return Landed{.refusal = refusal, .report = OwnReport(update, refusal)};
}

asio::awaitable<bool> ReceivePack::HasAllTags(RepositoryId repository) {
  const auto refs = co_await repositories_.ReadRefs(std::move(repository));
  co_return refs&& std::ranges::count_if(
      *refs, [](const repositories::RefTip& tip) { return IsTag(tip.name); }) >=
      std::ptrdiff_t{kMaxTags};
}

gateway::Async<attempts::ConfirmedPush> ReceivePack::SettleOnce(
    PushId push, std::string refusal) {
  if (refusal.empty()) co_return co_await recorder_.ConfirmPush(push);
  ASSAY_CO_RETURN_IF_ERROR(
      co_await recorder_.RefusePush(push, std::move(refusal)));
  co_return attempts::ConfirmedPush{.push = push};
}

gateway::Async<attempts::ConfirmedPush> ReceivePack::Settle(
    PushId push, std::string refusal) {
  constexpr int kTries = 5;
  const std::weak_ptr<bool> alive = alive_;
  std::chrono::milliseconds pause{100};
  for (int i = 1;; ++i, pause *= 2) {
    auto settled = co_await SettleOnce(push, refusal);
    // Another node that has the repository by now is about to decide.
    const bool again =
        !settled && (settled.error().code == Code::kUnavailable ||
                     settled.error().code == Code::kAborted);
    if (!again || i == kTries) {
      if (!settled)
        spdlog::error("settle {}: {}", push.str(), settled.error().message);
      co_return settled;
    }
    co_await Sleep(pause);
    // The next start settles it.
    if (alive.expired()) co_return Aborted("the server stopped");
  }
}

// The ref is where it is, so this has to be said until it is heard; what is
// not heard until the end is said by the reconciler at the next start. Until
// then no other push may move the ref, which alone knows what became of this
// one.
asio::awaitable<void> ReceivePack::SettleLater(
    RepositoryId repository, PushId push, std::string refusal,
    std::optional<RepositoryQueue::Place> place) {
  constexpr std::chrono::seconds kPause{1};
  const std::weak_ptr<bool> alive = alive_;
  unsettled_.insert(repository);
  // Who waits for the place is told that there is no telling.
  place.reset();
  for (;;) {
    co_await Sleep(kPause);
    if (alive.expired()) co_return;
    const auto settled = co_await SettleOnce(push, refusal);
    if (alive.expired()) co_return;
    if (settled || settled.error().code != Code::kUnavailable) break;
  }
  unsettled_.erase(repository);
}

asio::awaitable<void> ReceivePack::Sleep(std::chrono::milliseconds pause) {
  asio::steady_timer timer(strand_, pause);
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

asio::awaitable<void> ReceivePack::Describe(RepositoryId repository,
                                            PushId push, std::string commit) {
  const auto info = co_await repositories_.ReadCommit(repository, commit);
  if (!info) co_return;
  static_cast<void>(
      co_await recorder_.DescribePush(push, info->subject, info->commit_time));
  ReachFaultPoint("push.described");
}

asio::awaitable<void> ReceivePack::TellResults(HttpExchange& exchange,
                                               AttemptId attempt,
                                               attempts::ConfirmedPush push) {
  if (!push.notice.empty())
    static_cast<void>(
        co_await exchange.Write(Message("This push is " + push.notice + "\n")));
  if (push.run.empty()) co_return;
  const std::string link = options_.public_url + "/runs/" + push.run.str();
  const gateway::WorkEnd end = co_await gateway::RunWhileConnected(
      strand_, exchange, options_.stay,
      Narrate(exchange, std::move(attempt), push.run));
  if (end == gateway::WorkEnd::kClientGone) co_return;
  const char* words = end == gateway::WorkEnd::kTimedOut
                          ? "This takes long; see how it ends: "
                          : "Details: ";
  static_cast<void>(co_await exchange.Write(Message(words + link + "\n")));
  if (end == gateway::WorkEnd::kFinished && options_.shown)
    options_.shown(push.run);
}

asio::awaitable<void> ReceivePack::Narrate(HttpExchange& exchange,
                                           AttemptId attempt, RunId run) {
  PushNarrator narrator;
  bool told = false;
  Status ended;
  for (;;) {
    ended = co_await watch_run_(
        attempt, run, [&](v1::WatchRunResponse update) -> gateway::Async<void> {
          told = true;
          std::string lines = narrator.Tell(update);
          if (lines.empty()) co_return Status();
          co_return co_await exchange.Write(Message(lines));
        });
    // What a run is read from may be away for a while, and the run waits too.
    if (ended || told || ended.error().code != Code::kUnavailable) break;
    co_await Sleep(kWatchPause);
    if ((co_await asio::this_coro::cancellation_state).cancelled() !=
        asio::cancellation_type::none)
      co_return;
  }
  if (!ended && ended.error().code != Code::kCancelled)
    spdlog::warn("results of a push: {}", ended.error().message);
}

}  // namespace assay::git_http
