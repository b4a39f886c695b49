#include "services/git_http/trial_push.h"

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>

#include "services/git_http/body_spool.h"
#include "services/git_http/pkt_line.h"
#include "services/git_http/push_request.h"

namespace assay::git_http {
namespace {

namespace asio = boost::asio;

constexpr std::int64_t kMaxTrial = 8 << 20;

asio::awaitable<void> Refuse(gateway::HttpExchange& exchange, int status,
                             std::string why) {
  static_cast<void>(co_await exchange.Respond(
      {.status = status,
       .fields = {{"Content-Type", "text/plain; charset=utf-8"}},
       .body = std::move(why) + "\n"}));
}

// What git would say had it taken the push in.
std::string Report(const PushRequest& request, std::int64_t bytes) {
  std::string report = PacketOf("unpack ok\n");
  for (const RefUpdate& update : request.updates)
    report += PacketOf("ok " + update.ref + "\n");
  report += kFlush;
  if (!request.side_band) return report;
  return BandOf(Band::kMessage,
                fmt::format("{} bytes arrived and were thrown away: pushing "
                            "works from here.\n",
                            bytes)) +
         BandOf(Band::kReport, report) + std::string(kFlush);
}

}  // namespace

asio::awaitable<void> TakeTrialPush(gateway::HttpExchange& exchange,
                                    std::filesystem::path spool_directory) {
  const auto body =
      co_await SpoolBody(exchange, std::move(spool_directory), kMaxTrial);
  if (!body) co_return co_await Refuse(exchange, 400, body.error().message);
  if ((*body)->too_large())
    co_return co_await Refuse(exchange, 413,
                              "a trial push may have up to 8 MiB");
  const std::string& head = (*body)->head();
  const auto request =
      ParsePushRequest(head, (*body)->bytes() <= std::ssize(head));
  if (!request)
    co_return co_await Refuse(exchange, 400, request.error().message);
  static_cast<void>(co_await exchange.Respond(
      {.fields = {{"Content-Type", "application/x-git-receive-pack-result"},
                  {"Cache-Control", "no-store"}},
       .body = request->is_probe() ? "" : Report(*request, (*body)->bytes())}));
}

}  // namespace assay::git_http
