#include "sandbox/egress/request_head.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "sandbox/egress/destination.h"

namespace assay::sandbox {
namespace {

constexpr std::string_view kEnd = "\r\n\r\n";
constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kScheme = "http://";
constexpr int kMostFields = 200;

BadRequest Bad(std::string reason) { return {400, std::move(reason)}; }

bool IsToken(std::string_view text) {
  static constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || kOthers.find(c) != std::string_view::npos;
  });
}

bool EqualNames(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    const auto lower = [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return lower(x) == lower(y);
  });
}

// Fields that are for the proxy, or that it sets itself.
bool IsDropped(std::string_view name) {
  constexpr std::array<std::string_view, 9> kDropped = {"host",
                                                        "connection",
                                                        "proxy-connection",
                                                        "keep-alive",
                                                        "proxy-authorization",
                                                        "proxy-authenticate",
                                                        "te",
                                                        "trailer",
                                                        "upgrade"};
  return std::ranges::any_of(
      kDropped, [&](std::string_view one) { return EqualNames(one, name); });
}

// "host:port" or "host" with a default.
bool ReadAuthority(std::string_view text, std::uint16_t default_port,
                   ProxyRequest& request) {
  std::string_view host = text;
  request.port = default_port;
  const auto colon = text.rfind(':');
  const bool in_brackets = text.starts_with('[') &&
                           colon != std::string_view::npos &&
                           text.find(']', colon) != std::string_view::npos;
  if (colon != std::string_view::npos && !in_brackets) {
    host = text.substr(0, colon);
    const std::string_view port = text.substr(colon + 1);
    const auto parsed =
        std::from_chars(port.data(), port.data() + port.size(), request.port);
    if (parsed.ec != std::errc() || parsed.ptr != port.data() + port.size()) {
      return false;
    }
  }
  request.host = CanonicalHost(host);
  return !request.host.empty() && request.port != 0;
}

struct RequestLine {
  std::string_view method;
  std::string_view target;
};

bool ReadRequestLine(std::string_view line, RequestLine& read) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return false;
  read.method = line.substr(0, first);
  read.target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  const bool printable = std::ranges::all_of(
      read.target, [](char c) { return c > ' ' && c < 0x7f; });
  return IsToken(read.method) && printable && !read.target.empty() &&
         (version == "HTTP/1.1" || version == "HTTP/1.0");
}

// Copies the fields that go on to `out`; a reason if one of them cannot be
// taken in one way only.
std::string ReadFields(std::string_view fields, std::string& out) {
  int count = 0;
  int lengths = 0;
  int encodings = 0;
  while (!fields.empty()) {
    const auto end = fields.find(kLineEnd);
    const std::string_view line = fields.substr(0, end);
    fields.remove_prefix(end + kLineEnd.size());
    if (++count > kMostFields) return "too many header fields";
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !IsToken(line.substr(0, colon))) {
      return "a header field is malformed";
    }
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = line.substr(colon + 1);
    const bool clean = std::ranges::all_of(value, [](char c) {
      return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != 0x7f);
    });
    if (!clean) return "a header field holds a control character";
    lengths += EqualNames(name, "content-length") ? 1 : 0;
    encodings += EqualNames(name, "transfer-encoding") ? 1 : 0;
    if (IsDropped(name)) continue;
    out += line;
    out += kLineEnd;
  }
  if (lengths + encodings > 1) return "the length of the body is ambiguous";
  return {};
}

ParsedHead ReadPlain(const RequestLine& line, std::string_view fields,
                     ProxyRequest request) {
  if (!line.target.starts_with(kScheme)) {
    return Bad("this is a proxy: expected CONNECT or an http:// URL");
  }
  std::string_view rest = line.target.substr(kScheme.size());
  const auto end = std::min(rest.find_first_of("/?#"), rest.size());
  constexpr std::uint16_t kHttp = 80;
  if (!ReadAuthority(rest.substr(0, end), kHttp, request)) {
    return Bad("the URL names no host");
  }
  std::string_view path = rest.substr(end);
  path = path.substr(0, path.find('#'));
  request.head = std::string(line.method) + " ";
  if (!path.starts_with('/')) request.head += '/';
  request.head += path;
  request.head += " HTTP/1.1\r\nHost: ";
  const bool address = request.host.find(':') != std::string::npos;
  request.head += address ? "[" + request.host + "]" : request.host;
  if (request.port != kHttp) request.head += ":" + std::to_string(request.port);
  request.head += kLineEnd;
  if (auto reason = ReadFields(fields, request.head); !reason.empty()) {
    return Bad(std::move(reason));
  }
  request.head += "Connection: close\r\n\r\n";
  return request;
}

}  // namespace

ParsedHead ParseProxyRequest(std::string_view bytes) {
  const auto end = bytes.substr(0, kMostHeadBytes).find(kEnd);
  if (end == std::string_view::npos) {
    if (bytes.size() >= kMostHeadBytes) {
      return BadRequest{431, "the request's head is too large"};
    }
    return MoreNeeded{};
  }
  // Every line with its end.
  const std::string_view head = bytes.substr(0, end + kLineEnd.size());
  const auto first = head.find(kLineEnd);
  const std::string_view fields = head.substr(first + kLineEnd.size());
  RequestLine line;
  if (!ReadRequestLine(head.substr(0, first), line)) {
    return Bad("the request line is malformed");
  }
  ProxyRequest request = {.size = end + kEnd.size()};
  if (line.method != "CONNECT") {
    return ReadPlain(line, fields, std::move(request));
  }
  request.tunnel = true;
  std::string ignored;
  if (!ReadAuthority(line.target, 0, request)) {
    return Bad("CONNECT expects HOST:PORT");
  }
  if (auto reason = ReadFields(fields, ignored); !reason.empty()) {
    return Bad(std::move(reason));
  }
  return request;
}

}  // namespace assay::sandbox
