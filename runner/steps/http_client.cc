#include "runner/steps/http_client.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cctype>
#include <deque>

#include "runner/steps/curl_multi.h"
#include "runner/wires/dial.h"
#include "runner/wires/spawn.h"

namespace assay::steps {

namespace asio = boost::asio;

class HttpClient::Multi {
 public:
  Multi(asio::any_io_executor executor, wires::Network& network,
        std::uint16_t port)
      : curl(std::make_shared<CurlMulti>(executor)),
        network(network),
        port(port) {
    curl->Open();
  }
  ~Multi() { curl->Close(); }

  std::shared_ptr<CurlMulti> curl;
  wires::Network& network;
  const std::uint16_t port;
  // Connections made ahead, not yet given to curl.
  std::deque<wires::UniqueFd> prepared;
};

namespace {

using Clock = std::chrono::steady_clock;

// One request under way: curl's handle and what its callbacks fill.
class Exchange {
 public:
  Exchange(HttpRequest request, std::string url)
      : request_(std::move(request)),
        url_(std::move(url)),
        easy_(curl_easy_init()) {
    error_[0] = '\0';
  }
  ~Exchange() {
    curl_easy_cleanup(easy_);
    curl_slist_free_all(headers_);
    if (mime_ != nullptr) curl_mime_free(mime_);
  }
  Exchange(const Exchange&) = delete;

  CURL* easy() { return easy_; }
  void Prepare(void* share);
  // Where sockets come from: any address that curl asks for is one in the cell.
  void SocketsFrom(wires::Network& network, std::uint16_t port,
                   std::deque<wires::UniqueFd>* prepared) {
    network_ = &network;
    port_ = port;
    prepared_ = prepared;
    curl_easy_setopt(easy_, CURLOPT_OPENSOCKETFUNCTION, &Exchange::OnOpen);
    curl_easy_setopt(easy_, CURLOPT_OPENSOCKETDATA, this);
    curl_easy_setopt(easy_, CURLOPT_SOCKOPTFUNCTION, &Exchange::OnSockopt);
    curl_easy_setopt(easy_, CURLOPT_SOCKOPTDATA, this);
  }
  HttpResult Finish(CURLcode code);

 private:
  static curl_socket_t OnOpen(void* self, curlsocktype, curl_sockaddr* address);
  static int OnSockopt(void* self, curl_socket_t, curlsocktype);
  static std::size_t OnHeader(char* data, std::size_t, std::size_t size,
                              void* self);
  static std::size_t OnBody(char* data, std::size_t, std::size_t size,
                            void* self);
  void PrepareBody();
  void PrepareHeaders();
  std::string Problem(CURLcode code) const;
  HttpResult::Kind KindOf(CURLcode code) const;

  HttpRequest request_;
  std::string url_;
  CURL* easy_;
  curl_slist* headers_ = nullptr;
  curl_mime* mime_ = nullptr;
  wires::Network* network_ = nullptr;
  std::uint16_t port_ = 0;
  std::deque<wires::UniqueFd>* prepared_ = nullptr;
  bool connected_before_ = false;
  char error_[CURL_ERROR_SIZE];

  HttpResult result_;
  std::int64_t header_bytes_ = 0;
  bool headers_too_large_ = false;
  bool body_too_large_ = false;
};

void Exchange::Prepare(void* share) {
  const auto set = [this](auto option, auto value) {
    curl_easy_setopt(easy_, option, value);
  };
  set(CURLOPT_URL, url_.c_str());
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http");
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_ERRORBUFFER, error_);
  set(CURLOPT_TIMEOUT_MS,
      std::max<long>(1, static_cast<long>(request_.timeout.count())));
  set(CURLOPT_USERAGENT, "assay");
  // HTTP/2 without TLS and without asking: the suite has said so.
  set(CURLOPT_HTTP_VERSION, request_.http2
                                ? long{CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE}
                                : long{CURL_HTTP_VERSION_1_1});
  set(CURLOPT_HEADERFUNCTION, &Exchange::OnHeader);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &Exchange::OnBody);
  set(CURLOPT_WRITEDATA, this);
  if (share != nullptr) {
    set(CURLOPT_SHARE, share);
    set(CURLOPT_COOKIEFILE, "");
    curl_slist* cookies = nullptr;
    curl_easy_getinfo(easy_, CURLINFO_COOKIELIST, &cookies);
    result_.sent_cookies = cookies != nullptr;
    curl_slist_free_all(cookies);
  }
  if (request_.credentials) {
    set(CURLOPT_HTTPAUTH, request_.credentials->digest ? long{CURLAUTH_DIGEST}
                                                       : long{CURLAUTH_BASIC});
    set(CURLOPT_USERNAME, request_.credentials->user.c_str());
    set(CURLOPT_PASSWORD, request_.credentials->password.c_str());
  }
  if (request_.prepared_connection) set(CURLOPT_FRESH_CONNECT, 1L);
  if (request_.http2) {
    // curl 7.88 begins HTTP/2 anew on a connection that speaks it already, and
    // fails.
    set(CURLOPT_FRESH_CONNECT, 1L);
    set(CURLOPT_FORBID_REUSE, 1L);
  }
  PrepareBody();
  PrepareHeaders();
}

void Exchange::PrepareBody() {
  if (!request_.parts.empty()) {
    mime_ = curl_mime_init(easy_);
    for (const HttpRequest::Part& part : request_.parts) {
      curl_mimepart* made = curl_mime_addpart(mime_);
      curl_mime_name(made, part.name.c_str());
      curl_mime_data(made, part.value.data(), part.value.size());
      if (!part.filename.empty()) {
        curl_mime_filename(made, part.filename.c_str());
      }
    }
    curl_easy_setopt(easy_, CURLOPT_MIMEPOST, mime_);
  } else if (request_.body) {
    curl_easy_setopt(easy_, CURLOPT_POST, 1L);
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, request_.body->data());
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request_.body->size()));
  } else if (request_.method == "HEAD") {
    curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
    return;
  } else if (request_.method == "POST" || request_.method == "PUT" ||
             request_.method == "PATCH") {
    // An empty body with its length, which servers expect of these.
    curl_easy_setopt(easy_, CURLOPT_POST, 1L);
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, "");
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE, 0L);
  }
  curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
}

void Exchange::PrepareHeaders() {
  bool has_type = false;
  for (const auto& [name, value] : request_.headers) {
    if (name == "accept-encoding") {
      // Curl sends it, and decodes what comes.
      curl_easy_setopt(easy_, CURLOPT_ACCEPT_ENCODING, value.c_str());
      continue;
    }
    has_type |= name == "content-type";
    // "name;" is how curl spells a header with an empty value.
    std::string line = name;
    line += value.empty() ? ";" : ": ";
    line += value;
    headers_ = curl_slist_append(headers_, line.c_str());
  }
  // What curl would add by itself.
  headers_ = curl_slist_append(headers_, "Expect:");
  if (!has_type && request_.parts.empty()) {
    headers_ = curl_slist_append(headers_, "Content-Type:");
  }
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
}

curl_socket_t Exchange::OnOpen(void* self, curlsocktype,
                               curl_sockaddr* address) {
  auto& exchange = *static_cast<Exchange*>(self);
  exchange.connected_before_ = false;
  if (exchange.request_.prepared_connection && !exchange.prepared_->empty()) {
    wires::UniqueFd fd = std::move(exchange.prepared_->front());
    exchange.prepared_->pop_front();
    exchange.connected_before_ = true;
    return fd.Release();
  }
  auto* to = reinterpret_cast<sockaddr_in*>(&address->addr);
  if (to->sin_family != AF_INET || ntohs(to->sin_port) != exchange.port_) {
    return CURL_SOCKET_BAD;
  }
  to->sin_port = htons(exchange.network_->Route(exchange.port_));
  auto fd = exchange.network_->OpenSocket();
  return fd ? fd->Release() : CURL_SOCKET_BAD;
}

int Exchange::OnSockopt(void* self, curl_socket_t, curlsocktype) {
  return static_cast<Exchange*>(self)->connected_before_
             ? CURL_SOCKOPT_ALREADY_CONNECTED
             : CURL_SOCKOPT_OK;
}

std::size_t Exchange::OnHeader(char* data, std::size_t, std::size_t size,
                               void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  exchange.header_bytes_ += static_cast<std::int64_t>(size);
  if (exchange.header_bytes_ > HttpClient::kHeaderBytes) {
    exchange.headers_too_large_ = true;
    return 0;
  }
  std::string_view line(data, size);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) {
    line.remove_suffix(1);
  }
  auto& headers = exchange.result_.answer.headers;
  const std::size_t colon = line.find(':');
  if (line.starts_with("HTTP/")) {
    // An interim answer's headers are not those of the answer.
    headers.clear();
  } else if (colon != std::string_view::npos) {
    std::string name(line.substr(0, colon));
    std::ranges::transform(name, name.begin(), [](unsigned char c) {
      return static_cast<char>(std::tolower(c));
    });
    line.remove_prefix(colon + 1);
    const std::size_t begin = line.find_first_not_of(" \t");
    line = begin == std::string_view::npos ? "" : line.substr(begin);
    headers.emplace_back(std::move(name), std::string(line));
  }
  return size;
}

std::size_t Exchange::OnBody(char* data, std::size_t, std::size_t size,
                             void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  std::string& body = exchange.result_.answer.body;
  const auto limit = static_cast<std::size_t>(exchange.request_.body_limit);
  const std::size_t room = limit - std::min(limit, body.size());
  body.append(data, std::min(size, room));
  if (size > room) {
    exchange.body_too_large_ = true;
    exchange.result_.answer.body_truncated = true;
    return 0;
  }
  return size;
}

HttpResult::Kind Exchange::KindOf(CURLcode code) const {
  using Kind = HttpResult::Kind;
  if (headers_too_large_ || body_too_large_) return Kind::kTooLarge;
  switch (code) {
    case CURLE_OK:
      return Kind::kAnswered;
    case CURLE_COULDNT_CONNECT:
      return Kind::kRefused;
    case CURLE_OPERATION_TIMEDOUT:
      return Kind::kTimedOut;
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
      return Kind::kClosed;
    case CURLE_FAILED_INIT:
    case CURLE_OUT_OF_MEMORY:
    case CURLE_URL_MALFORMAT:
      return Kind::kImpossible;
    default:
      return Kind::kMalformed;
  }
}

std::string Exchange::Problem(CURLcode code) const {
  const std::string to = request_.method + " " + request_.target;
  std::string detail = error_[0] != '\0' ? error_ : curl_easy_strerror(code);
  switch (KindOf(code)) {
    case HttpResult::Kind::kAnswered:
      return "";
    case HttpResult::Kind::kRefused:
      return "no connection for " + to + ": nothing listens on the port";
    case HttpResult::Kind::kTimedOut:
      return to + " was not answered within " +
             std::to_string(request_.timeout.count()) + " ms";
    case HttpResult::Kind::kClosed:
      return "the connection was closed before " + to + " was answered";
    case HttpResult::Kind::kTooLarge:
      if (headers_too_large_) {
        return "the headers of the answer to " + to + " are over " +
               std::to_string(HttpClient::kHeaderBytes >> 10) + " KiB";
      }
      return "the body of the answer to " + to + " is over " +
             std::to_string(request_.body_limit) + " bytes";
    case HttpResult::Kind::kMalformed:
      return "the answer to " + to + " is not proper HTTP: " + detail;
    case HttpResult::Kind::kImpossible:
      return to + " could not be sent: " + detail;
  }
  return detail;
}

// Two lengths that differ are how responses are smuggled; curl takes the last.
bool HasTwoLengths(const assertions::HttpAnswer& answer) {
  const std::string* first = nullptr;
  for (const auto& [name, value] : answer.headers) {
    if (name != "content-length") continue;
    if (first != nullptr && *first != value) return true;
    first = &value;
  }
  return false;
}

HttpResult Exchange::Finish(CURLcode code) {
  result_.kind = KindOf(code);
  result_.problem = Problem(code);
  if (code == CURLE_OK && HasTwoLengths(result_.answer)) {
    result_.kind = HttpResult::Kind::kMalformed;
    result_.problem = "the answer to " + request_.method + " " +
                      request_.target + " has two different lengths";
  }
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  result_.answer.status = static_cast<int>(status);
  char* redirect = nullptr;
  curl_easy_getinfo(easy_, CURLINFO_REDIRECT_URL, &redirect);
  if (redirect != nullptr) result_.redirect = redirect;
  const auto micros = [this](CURLINFO info) {
    curl_off_t value = 0;
    curl_easy_getinfo(easy_, info, &value);
    return std::chrono::microseconds(value);
  };
  result_.answer.duration = micros(CURLINFO_TOTAL_TIME_T);
  result_.connect = micros(CURLINFO_CONNECT_TIME_T);
  result_.first_byte = micros(CURLINFO_STARTTRANSFER_TIME_T);
  long request_bytes = 0;
  curl_easy_getinfo(easy_, CURLINFO_REQUEST_SIZE, &request_bytes);
  result_.request_bytes = request_bytes;
  return std::move(result_);
}

}  // namespace

CookieJar::CookieJar() : share_(curl_share_init()) {
  curl_share_setopt(static_cast<CURLSH*>(share_), CURLSHOPT_SHARE,
                    CURL_LOCK_DATA_COOKIE);
}

CookieJar::~CookieJar() { curl_share_cleanup(static_cast<CURLSH*>(share_)); }

std::optional<std::string> CookieJar::Find(std::string_view name) const {
  // Only a handle can list what a share holds.
  CURL* reader = curl_easy_init();
  curl_easy_setopt(reader, CURLOPT_SHARE, share_);
  curl_slist* cookies = nullptr;
  curl_easy_getinfo(reader, CURLINFO_COOKIELIST, &cookies);
  std::optional<std::string> found;
  for (const curl_slist* at = cookies; at != nullptr; at = at->next) {
    // Netscape's format: seven fields between tabs, the last two name, value.
    const std::string_view line(at->data);
    const std::size_t value = line.rfind('\t');
    if (value == std::string_view::npos || value == 0) continue;
    const std::size_t key = line.rfind('\t', value - 1);
    if (key == std::string_view::npos) continue;
    if (line.substr(key + 1, value - key - 1) == name) {
      found = std::string(line.substr(value + 1));
    }
  }
  curl_slist_free_all(cookies);
  curl_easy_cleanup(reader);
  return found;
}

HttpClient::HttpClient(asio::any_io_executor executor, wires::Network& network,
                       std::uint16_t port)
    : network_(network),
      port_(port),
      multi_(std::make_shared<Multi>(std::move(executor), network, port)),
      origin_("http://127.0.0.1:" + std::to_string(port)) {}

HttpClient::~HttpClient() = default;

asio::awaitable<HttpResult> HttpClient::Perform(HttpRequest request) {
  const auto multi = multi_;
  void* share = request.cookies ? request.cookies->share_ : nullptr;
  std::string url = origin_ + request.target;
  Exchange exchange(std::move(request), std::move(url));
  exchange.Prepare(share);
  exchange.SocketsFrom(multi->network, multi->port, &multi->prepared);
  const CURLcode code = co_await multi->curl->Run(exchange.easy());
  co_return exchange.Finish(code);
}

namespace {

// Connections that are being made together.
struct Opening {
  explicit Opening(const asio::any_io_executor& executor)
      : finished(executor, Clock::time_point::max()) {}
  int under_way = 0;
  std::deque<wires::UniqueFd> open;
  asio::steady_timer finished;
};

asio::awaitable<void> OpenOne(std::shared_ptr<Opening> opening,
                              wires::Network& network, std::uint16_t port,
                              std::chrono::milliseconds limit) {
  auto socket = co_await wires::Dial(network, port, limit);
  if (socket) {
    boost::system::error_code error;
    const int fd = socket->release(error);
    if (!error) opening->open.emplace_back(fd);
  }
  if (--opening->under_way == 0) opening->finished.cancel();
}

}  // namespace

asio::awaitable<int> HttpClient::PrepareConnections(
    int count, std::chrono::milliseconds limit) {
  const auto multi = multi_;
  const auto executor = co_await asio::this_coro::executor;
  const auto opening = std::make_shared<Opening>(executor);
  opening->under_way = count;
  for (int i = 0; i < count; ++i) {
    wires::Spawn(executor,
                 OpenOne(opening, multi->network, multi->port, limit));
  }
  while (opening->under_way > 0) {
    co_await opening->finished.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  multi->prepared = std::move(opening->open);
  co_return static_cast<int>(multi->prepared.size());
}

void HttpClient::DropConnections() {
  // A fresh multi: curl has no call to forget idle connections.
  const auto executor = multi_->curl->executor();
  multi_ = std::make_shared<Multi>(executor, multi_->network, multi_->port);
}

}  // namespace assay::steps
