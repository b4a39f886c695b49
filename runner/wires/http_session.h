#ifndef ASSAY_RUNNER_WIRES_HTTP_SESSION_H_
#define ASSAY_RUNNER_WIRES_HTTP_SESSION_H_

#include <memory>
#include <string>
#include <string_view>

#include "runner/wires/http_exchange.h"

namespace assay::wires {

// Who listens to what an HTTP session sees.
class HttpEvents {
 public:
  virtual ~HttpEvents() = default;
  // The head of a request is whole; the listener gives it its `span` and
  // `number`.
  virtual void OnRequest(HttpExchange& exchange) = 0;
  // It has ended, one way or another.
  virtual void OnExchange(const HttpExchange& exchange) = 0;
  // From here on nothing is seen of this connection.
  virtual void OnFellBack(const std::string& reason) = 0;
};

// One version of HTTP on one connection. Never fails: what it does not
// understand makes it fall back to passing bytes on unseen.
class HttpProtocol {
 public:
  virtual ~HttpProtocol() = default;
  // What is passed on in the place of `bytes`; good until the next call.
  virtual std::string_view OnClient(std::string_view bytes, Moment now) = 0;
  virtual void OnServer(std::string_view bytes, Moment now) = 0;
  virtual void OnClose(Moment now) = 0;
};

// Reads along one HTTP connection of any version and adds `traceparent` to
// requests that have none; nothing else is changed.
//
// Ownership: borrows `events`.
class HttpSession final : public HttpProtocol {
 public:
  explicit HttpSession(HttpEvents& events) : events_(events) {}

  std::string_view OnClient(std::string_view bytes, Moment now) override;
  void OnServer(std::string_view bytes, Moment now) override;
  void OnClose(Moment now) override;

 private:
  HttpEvents& events_;
  // Null until the first bytes have told which version this is.
  std::unique_ptr<HttpProtocol> protocol_;
  // They may be HTTP/2's preface, but are not all of it.
  std::string start_;
};

std::unique_ptr<HttpProtocol> MakeHttp1Session(HttpEvents& events);
std::unique_ptr<HttpProtocol> MakeHttp2Session(HttpEvents& events);

inline constexpr std::string_view kHttp2Preface =
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_HTTP_SESSION_H_
