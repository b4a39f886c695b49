#ifndef ASSAY_SERVICES_GATEWAY_WEB_ROUTES_H_
#define ASSAY_SERVICES_GATEWAY_WEB_ROUTES_H_

#include <boost/asio/awaitable.hpp>
#include <string>

#include "services/gateway/asset.h"
#include "services/gateway/connect_handler.h"
#include "services/gateway/http_exchange.h"

namespace assay::gateway {

// What the web port sends with every answer: nothing may be framed, sniffed,
// or run that did not come from here.
HeaderFields SecurityFields();

// Sends each request of the web port where it belongs: `/healthz`, `/readyz`
// and `/metrics`, `/git/`, the methods' exact paths, and the dashboard's files,
// whose index answers every other page.
//
// Ownership: borrows `connect`; the assets are static.
// Threads: confined to the coordinator's strand.
class WebRoutes {
 public:
  // `public_origin` is how browsers may reach this beside the Host that they
  // asked: "https://assay.example". Empty: only that. `git` may be absent, and
  // `metrics`, which answers `/metrics` and `/readyz`.
  WebRoutes(ConnectHandler& connect, HttpHandler git, Assets assets,
            std::string public_origin, HttpHandler metrics = nullptr);

  boost::asio::awaitable<void> Handle(HttpExchange& exchange);

 private:
  // False for a page of another site.
  bool OriginIsOurs(const HttpRequest& request) const;
  HttpResponse AssetFor(const HttpRequest& request) const;
  const Asset* FindAsset(std::string_view path) const;

  ConnectHandler& connect_;
  HttpHandler git_;
  HttpHandler metrics_;
  Assets assets_;
  std::string public_origin_;
};

}  // namespace assay::gateway

#endif  // ASSAY_SERVICES_GATEWAY_WEB_ROUTES_H_
