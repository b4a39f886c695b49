#include "services/gateway/web_routes.h"

#include <utility>

namespace assay::gateway {
namespace {

HttpResponse Text(int status, std::string body) {
  return {.status = status,
          .fields = {{"Content-Type", "text/plain; charset=utf-8"},
                     {"Cache-Control", "no-store"}},
          .body = std::move(body)};
}

bool IsRead(const HttpRequest& request) {
  return request.method == "GET" || request.method == "HEAD";
}

// "/runs/run_x" is a page; "/assets/gone.js" is a file.
bool IsPage(std::string_view path) {
  return path.substr(path.rfind('/')).find('.') == std::string_view::npos;
}

// True when `accept_encoding` names gzip with a weight above zero.
bool TakesGzip(std::string_view accept_encoding) {
  while (!accept_encoding.empty()) {
    const auto end = accept_encoding.find(',');
    std::string_view item = accept_encoding.substr(0, end);
    accept_encoding.remove_prefix(
        end == std::string_view::npos ? accept_encoding.size() : end + 1);
    const auto first = item.find_first_not_of(' ');
    if (first == std::string_view::npos) continue;
    item.remove_prefix(first);
    if (!item.starts_with("gzip")) continue;
    const std::string_view rest = item.substr(4);
    if (rest.empty() || rest.front() == ' ' || rest.front() == ';')
      return rest.find_first_of("123456789") != std::string_view::npos ||
             rest.find("q=") == std::string_view::npos;
  }
  return false;
}

// The entity tag of the compressed bytes, which are not the same entity.
std::string GzipTag(std::string_view etag) {
  return std::string(etag.substr(0, etag.size() - 1)) + "-gzip\"";
}

}  // namespace

HeaderFields SecurityFields() {
  return {
      {"Content-Security-Policy",
       "default-src 'none'; script-src 'self'; style-src 'self'; "
       "img-src 'self' data:; font-src 'self'; connect-src 'self'; "
       "manifest-src 'self'; base-uri 'none'; form-action 'self'; "
       "frame-ancestors 'none'"},
      {"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "DENY"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
  };
}

WebRoutes::WebRoutes(ConnectHandler& connect, HttpHandler git, Assets assets,
                     std::string public_origin, HttpHandler metrics)
    : connect_(connect),
      git_(std::move(git)),
      metrics_(std::move(metrics)),
      assets_(assets),
      public_origin_(std::move(public_origin)) {}

boost::asio::awaitable<void> WebRoutes::Handle(HttpExchange& exchange) {
  const HttpRequest& request = exchange.request();
  HttpResponse response;
  if (request.path == "/healthz") {
    response = IsRead(request) ? Text(200, "ok\n") : Text(405, "GET only\n");
  } else if (metrics_ &&
             (request.path == "/metrics" || request.path == "/readyz")) {
    co_return co_await metrics_(exchange);
  } else if (git_ && request.path.starts_with("/git/")) {
    co_return co_await git_(exchange);
  } else if (connect_.Serves(request.path)) {
    if (OriginIsOurs(request)) co_return co_await connect_.Handle(exchange);
    response = Text(403, "calls from pages of another site are refused\n");
  } else if (IsRead(request)) {
    response = AssetFor(request);
  } else {
    response = Text(404, "nothing is here\n");
  }
  static_cast<void>(co_await exchange.Respond(std::move(response)));
}

bool WebRoutes::OriginIsOurs(const HttpRequest& request) const {
  const std::string_view origin = request.Field("origin");
  if (origin.empty()) return true;  // not a browser's page
  if (origin == public_origin_) return true;
  const std::string_view host = request.Field("host");
  for (const std::string_view scheme : {"http://", "https://"})
    if (origin.starts_with(scheme) && origin.substr(scheme.size()) == host)
      return true;
  return false;
}

HttpResponse WebRoutes::AssetFor(const HttpRequest& request) const {
  const Asset* asset = FindAsset(request.path);
  if (asset == nullptr && IsPage(request.path))
    asset = FindAsset("/index.html");
  if (asset == nullptr) return Text(404, "nothing is here\n");
  const bool gzip =
      !asset->gzip.empty() && TakesGzip(request.Field("accept-encoding"));
  const std::string etag =
      gzip ? GzipTag(asset->etag) : std::string(asset->etag);
  HttpResponse response{
      .fields = {{"Content-Type", std::string(asset->content_type)},
                 {"ETag", etag},
                 {"Vary", "Accept-Encoding"},
                 {"Cache-Control", asset->immutable
                                       ? "public, max-age=31536000, immutable"
                                       : "no-cache"}}};
  if (request.Field("if-none-match") == etag) {
    response.status = 304;
    return response;
  }
  if (gzip) response.fields.emplace_back("Content-Encoding", "gzip");
  response.body = std::string(gzip ? asset->gzip : asset->bytes);
  return response;
}

const Asset* WebRoutes::FindAsset(std::string_view path) const {
  for (const Asset& asset : assets_)
    if (asset.path == path) return &asset;
  return nullptr;
}

}  // namespace assay::gateway
