// What is accepted names a place that the allow-list can be asked about, and
// the head that goes on is one that we would take ourselves.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sandbox/egress/destination.h"
#include "sandbox/egress/request_head.h"

namespace {

using namespace assay::sandbox;

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckForwarded(const ProxyRequest& request) {
  const std::string_view head = request.head;
  Require(head.ends_with("\r\n\r\n"));
  Require(head.find("\r\n\r\n") == head.size() - 4);
  for (std::size_t i = 0; i < head.size(); ++i) {
    Require(head[i] != '\0');
    Require((head[i] == '\n') == (i > 0 && head[i - 1] == '\r'));
  }
  // As a proxy would see it, were the path put back behind its host.
  const auto space = head.find(' ');
  Destination place = {.host = request.host, .port = request.port};
  const std::string again = std::string(head.substr(0, space + 1)) + "http://" +
                            FormatDestination(place) +
                            std::string(head.substr(space + 1));
  if (again.size() >= kMostHeadBytes) return;
  const ParsedHead parsed = ParseProxyRequest(again);
  const auto* second = std::get_if<ProxyRequest>(&parsed);
  Require(second != nullptr && second->host == request.host &&
          second->port == request.port && second->head == request.head);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const ParsedHead parsed = ParseProxyRequest(bytes);
  const auto* request = std::get_if<ProxyRequest>(&parsed);
  if (request == nullptr) return 0;
  Require(request->size <= size && request->port != 0);
  Require(ParseDestination(FormatDestination(
              {.host = request->host, .port = request->port})) ==
          Destination{.host = request->host, .port = request->port});
  if (!request->tunnel) CheckForwarded(*request);
  return 0;
}
