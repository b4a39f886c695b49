#ifndef ASSAY_SANDBOX_EGRESS_REQUEST_HEAD_H_
#define ASSAY_SANDBOX_EGRESS_REQUEST_HEAD_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace assay::sandbox {

// What a client asks a proxy for.
struct ProxyRequest {
  // CONNECT: bytes pass as they are once the connection stands.
  bool tunnel = false;
  // Canonical, as in Destination.
  std::string host;
  std::uint16_t port = 0;
  // For a plain request: the head as the server gets it. It names the host that
  // was checked, and asks for the connection to end with the answer, so that
  // the next request comes as a connection of its own.
  std::string head;
  // Bytes that the head took.
  std::size_t size = 0;
};

struct MoreNeeded {};
// Answered with this status and sentence.
struct BadRequest {
  int status = 400;
  std::string reason;
};
using ParsedHead = std::variant<MoreNeeded, BadRequest, ProxyRequest>;

// Heads beyond this are answered with 431.
inline constexpr std::size_t kMostHeadBytes = 32 << 10;

// Reads the head of an HTTP/1 request to a proxy from the start of `bytes`:
// "CONNECT host:port" or a method with an absolute http:// URL. Strict: what
// two readers could take differently is refused.
ParsedHead ParseProxyRequest(std::string_view bytes);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_EGRESS_REQUEST_HEAD_H_
