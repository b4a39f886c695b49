#include "services/git_http/git_receive.h"

#include <utility>
#include <vector>

#include "proto/base/fault_point.h"
#include "services/gateway/one_shot.h"
#include "services/gateway/spawn.h"
#include "services/git_http/push_report.h"

namespace assay::git_http {
namespace {

namespace asio = boost::asio;

// The conversation with git's hook, beside that with git itself.
struct Hearing {
  std::string refusal;
  gateway::OneShot<bool> over;
};

asio::awaitable<void> Hear(GitProcess& git, const JudgeIncoming& judge,
                           Hearing& hearing) {
  const std::string quarantine = co_await git.ReadQuestion();
  if (!quarantine.empty()) {
    ReachFaultPoint("push.received");
    const Status judged = co_await judge(quarantine);
    ReachFaultPoint("push.judged");
    if (!judged) hearing.refusal = judged.error().message;
    git.Answer(judged.has_value());
  }
  hearing.over.Set(true);
}

}  // namespace

asio::awaitable<GitReceived> RunReceivePack(asio::any_io_executor strand,
                                            gateway::HttpExchange& exchange,
                                            GitCommand command, bool side_band,
                                            JudgeIncoming judge) {
  command.asks = true;
  auto git = GitProcess::Start(strand, command);
  if (!git) co_return GitReceived{.ended = std::unexpected(git.error())};
  Hearing hearing;
  gateway::Spawn(strand, "judge a push", Hear(**git, judge, hearing));
  ReportReader reader(side_band);
  Status sane;
  std::vector<char> buffer(16 << 10);
  while (sane) {
    const auto count = co_await (*git)->ReadSome(buffer);
    if (!count || *count == 0) break;
    const auto messages = reader.Feed({buffer.data(), *count});
    if (!messages) {
      // Git has lost its mind: it is killed with what it started.
      sane = std::unexpected(messages.error());
      (*git)->Kill();
    } else if (!messages->empty()) {
      static_cast<void>(co_await exchange.Write(*messages));
    }
  }
  Status ended = co_await (*git)->Wait();
  co_await hearing.over.Take();
  co_return GitReceived{.report = sane ? reader.report() : std::string(),
                        .refusal = std::move(hearing.refusal),
                        .ended = sane ? std::move(ended) : std::move(sane)};
}

}  // namespace assay::git_http
