#include "services/git_http/upload_pack.h"

#include <spdlog/spdlog.h>

#include <utility>
#include <vector>

#include "services/git_http/body_spool.h"
#include "services/git_http/git_process.h"
#include "services/git_http/pkt_line.h"

namespace assay::git_http {
namespace {

namespace asio = boost::asio;
using gateway::HttpExchange;

// A client that has everything names a few thousand commits at most.
constexpr std::int64_t kMaxRequest = 4 << 20;

gateway::HeaderFields FieldsOf(std::string type) {
  return {{"Content-Type", std::move(type)},
          {"Cache-Control", "no-cache, max-age=0, must-revalidate"},
          {"Pragma", "no-cache"}};
}

asio::awaitable<void> RespondText(HttpExchange& exchange, int status,
                                  std::string text) {
  static_cast<void>(co_await exchange.Respond(
      {.status = status,
       .fields = {{"Content-Type", "text/plain; charset=utf-8"}},
       .body = std::move(text) + "\n"}));
}

// Sends git's output as the body, after `preamble`.
asio::awaitable<void> Relay(asio::any_io_executor strand,
                            HttpExchange& exchange, GitCommand command,
                            std::string type, std::string preamble) {
  auto git = GitProcess::Start(strand, command);
  if (!git) co_return co_await RespondText(exchange, 503, git.error().message);
  if (!co_await exchange.StartResponse(200, FieldsOf(std::move(type))))
    co_return;
  static_cast<void>(co_await exchange.Write(std::move(preamble)));
  std::vector<char> buffer(64 << 10);
  for (;;) {
    const auto count = co_await (*git)->ReadSome(buffer);
    if (!count || *count == 0) break;
    // A client that has gone needs no pack.
    if (!co_await exchange.Write(std::string(buffer.data(), *count))) co_return;
  }
  const Status ended = co_await (*git)->Wait();
  if (!ended)
    spdlog::warn("{}: {}", command.arguments.front(), ended.error().message);
  // Without its end the client sees that something went wrong.
  if (ended) static_cast<void>(co_await exchange.Finish());
}

}  // namespace

std::string CheckedProtocol(std::string_view header) {
  return header == "version=2" || header == "version=1" ? std::string(header)
                                                        : "";
}

asio::awaitable<void> AdvertiseRefs(asio::any_io_executor strand,
                                    HttpExchange& exchange,
                                    std::filesystem::path repository,
                                    std::string service) {
  GitCommand command{
      .arguments = {service, "--stateless-rpc", "--http-backend-info-refs"},
      .repository = std::move(repository)};
  // There is no version 2 of pushing.
  if (service == "upload-pack")
    command.protocol =
        CheckedProtocol(exchange.request().Field("git-protocol"));
  std::string preamble;
  if (command.protocol != "version=2")
    preamble =
        PacketOf("# service=git-" + service + "\n") + std::string(kFlush);
  co_await Relay(strand, exchange, std::move(command),
                 "application/x-git-" + service + "-advertisement",
                 std::move(preamble));
}

asio::awaitable<void> UploadPack(asio::any_io_executor strand,
                                 HttpExchange& exchange,
                                 std::filesystem::path repository,
                                 std::filesystem::path spool_directory) {
  const auto body =
      co_await SpoolBody(exchange, std::move(spool_directory), kMaxRequest);
  if (!body)
    co_return co_await RespondText(exchange, 400, body.error().message);
  if ((*body)->too_large())
    co_return co_await RespondText(exchange, 413, "the request is too large");
  co_await Relay(
      strand, exchange,
      {.arguments = {"upload-pack", "--stateless-rpc"},
       .repository = std::move(repository),
       .protocol = CheckedProtocol(exchange.request().Field("git-protocol")),
       .input = (*body)->fd()},
      "application/x-git-upload-pack-result", "");
}

}  // namespace assay::git_http
