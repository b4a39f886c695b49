#include "services/git_http/git_http.h"

#include <utility>

#include "proto/base/utf8.h"
#include "services/attempts/trial.h"
#include "services/git_http/trial_push.h"
#include "services/git_http/upload_pack.h"

namespace assay::git_http {
namespace {

namespace asio = boost::asio;
using gateway::HttpExchange;
using gateway::HttpRequest;

constexpr std::string_view kPrefix = "/git/";
constexpr std::string_view kSuffix = ".git/";

asio::awaitable<void> RespondText(HttpExchange& exchange, int status,
                                  std::string text) {
  gateway::HttpResponse response{
      .status = status,
      .fields = {{"Content-Type", "text/plain; charset=utf-8"},
                 {"Cache-Control", "no-store"}},
      .body = std::move(text) + "\n"};
  if (status == 401)
    response.fields.emplace_back("WWW-Authenticate",
                                 "Basic realm=\"Assay\", charset=\"UTF-8\"");
  co_await exchange.Respond(std::move(response));
}

int StatusOf(const Error& error) {
  switch (error.code) {
    case Code::kUnauthenticated:
      return 401;
    case Code::kPermissionDenied:
      return 403;
    default:
      return 503;
  }
}

// Method and content type that go with an action; empty when they do not.
std::string Mismatch(const HttpRequest& request, GitRoute::Action action) {
  const std::string method = PresentableLine(request.method, 20);
  if (action == GitRoute::Action::kAdvertise)
    return request.method == "GET" ? "" : "expected GET, found " + method;
  if (request.method != "POST") return "expected POST, found " + method;
  const std::string_view expected =
      action == GitRoute::Action::kUploadPack
          ? "application/x-git-upload-pack-request"
          : "application/x-git-receive-pack-request";
  const std::string_view found = request.Field("content-type");
  if (found == expected) return "";
  return "expected the content type " + std::string(expected) + ", found \"" +
         PresentableLine(found, 80) + "\"";
}

// "service=git-upload-pack" -> "upload-pack".
std::string_view ServiceOf(std::string_view query) {
  if (query == "service=git-upload-pack") return "upload-pack";
  if (query == "service=git-receive-pack") return "receive-pack";
  return "";
}

}  // namespace

std::optional<GitRoute> ParseGitRoute(std::string_view path) {
  if (!path.starts_with(kPrefix)) return std::nullopt;
  path.remove_prefix(kPrefix.size());
  const std::size_t end = path.find(kSuffix);
  if (end == std::string_view::npos || end > 64) return std::nullopt;
  GitRoute route{.repository = RepositoryId(std::string(path.substr(0, end)))};
  const std::string_view rest = path.substr(end + kSuffix.size());
  if (rest == "info/refs") {
    route.action = GitRoute::Action::kAdvertise;
  } else if (rest == "git-upload-pack") {
    route.action = GitRoute::Action::kUploadPack;
  } else if (rest == "git-receive-pack") {
    route.action = GitRoute::Action::kReceivePack;
  } else {
    return std::nullopt;
  }
  return route;
}

GitHttp::GitHttp(asio::any_io_executor strand, identity::Identity& identity,
                 repositories::Repositories& repositories,
                 ReceivePack& receive_pack,
                 std::filesystem::path spool_directory, ReadyToRead ready)
    : strand_(std::move(strand)),
      identity_(identity),
      repositories_(repositories),
      receive_pack_(receive_pack),
      spool_directory_(std::move(spool_directory)),
      ready_(std::move(ready)) {}

asio::awaitable<void> GitHttp::Handle(HttpExchange& exchange) {
  const HttpRequest& request = exchange.request();
  const auto route = ParseGitRoute(request.path);
  if (!route)
    co_return co_await RespondText(exchange, 404,
                                   "There is no such git service here.");
  if (const auto why = Mismatch(request, route->action); !why.empty())
    co_return co_await RespondText(exchange, 400, std::string(why));
  const auto access = co_await identity_.AuthenticateGit(
      std::string(request.Field("authorization")), route->repository);
  if (!access)
    co_return co_await RespondText(exchange, StatusOf(access.error()),
                                   "Assay: " + access.error().message + ".");
  co_await Dispatch(exchange, *route, *access);
}

asio::awaitable<void> GitHttp::Dispatch(HttpExchange& exchange, GitRoute route,
                                        identity::GitAccess access) {
  const auto path = repositories_.Path(route.repository);
  if (!path) co_return co_await RespondText(exchange, 404, "no repository");
  const std::string_view service = ServiceOf(exchange.request().query);
  const bool pushes = route.action == GitRoute::Action::kReceivePack ||
                      (route.action == GitRoute::Action::kAdvertise &&
                       service == "receive-pack");
  if (pushes && !access.may_push)
    co_return co_await RespondText(exchange, 403,
                                   "Assay: this token may only read.");
  if (ready_ && route.action != GitRoute::Action::kReceivePack) {
    const Status ready = co_await ready_(route.repository);
    if (!ready)
      co_return co_await RespondText(exchange, 503,
                                     "Assay: " + ready.error().message + ".");
  }
  switch (route.action) {
    case GitRoute::Action::kAdvertise:
      if (service.empty())
        co_return co_await RespondText(
            exchange, 403, "Only git's smart protocol is served here.");
      co_return co_await AdvertiseRefs(strand_, exchange, *path,
                                       std::string(service));
    case GitRoute::Action::kUploadPack:
      co_return co_await UploadPack(strand_, exchange, *path, spool_directory_);
    case GitRoute::Action::kReceivePack:
      if (route.repository.str() == attempts::kTrialRepository)
        co_return co_await TakeTrialPush(exchange, spool_directory_);
      co_return co_await receive_pack_.Handle(exchange, std::move(access));
  }
}

}  // namespace assay::git_http
