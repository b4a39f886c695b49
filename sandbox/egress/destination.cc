#include "sandbox/egress/destination.h"

#include <algorithm>
#include <charconv>

namespace assay::sandbox {
namespace {

constexpr std::string_view kPrivate = "/private";
constexpr std::size_t kLongestHost = 253;

bool IsHostCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}
bool IsAddressCharacter(char c) {
  return (c >= 'a' && c <= 'f') || (c >= '0' && c <= '9') || c == ':' ||
         c == '.';
}

std::unexpected<Error> NotADestination(std::string_view text) {
  return InvalidArgument("found '", text,
                         "', expected HOST:PORT such as "
                         "registry.example.org:443, or HOST:PORT/private for a "
                         "host with a private address");
}

}  // namespace

std::string CanonicalHost(std::string_view given) {
  std::string host(given);
  for (char& c : host) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  const bool bracketed = host.starts_with('[');
  if (bracketed) {
    if (!host.ends_with(']')) return {};
    host = host.substr(1, host.size() - 2);
  } else if (host.ends_with('.')) {
    host.pop_back();
  }
  const auto fits = bracketed ? IsAddressCharacter : IsHostCharacter;
  // No empty labels, which resolvers may take for something else.
  const bool good = !host.empty() && host.size() <= kLongestHost &&
                    std::ranges::all_of(host, fits) && !host.starts_with('.') &&
                    !host.ends_with('.') &&
                    host.find("..") == std::string::npos;
  return good ? host : std::string();
}

Expected<Destination> ParseDestination(std::string_view text) {
  Destination destination;
  std::string_view rest = text;
  if (rest.ends_with(kPrivate)) {
    rest.remove_suffix(kPrivate.size());
    destination.private_addresses = AllowPrivateAddresses{};
  }
  const auto colon = rest.rfind(':');
  if (colon == std::string_view::npos) return NotADestination(text);
  destination.host = CanonicalHost(rest.substr(0, colon));
  const std::string_view port = rest.substr(colon + 1);
  const auto parsed =
      std::from_chars(port.data(), port.data() + port.size(), destination.port);
  if (destination.host.empty() || parsed.ec != std::errc() ||
      parsed.ptr != port.data() + port.size() || destination.port == 0) {
    return NotADestination(text);
  }
  return destination;
}

std::string FormatDestination(const Destination& destination) {
  const bool address = destination.host.find(':') != std::string::npos;
  return (address ? "[" + destination.host + "]" : destination.host) + ":" +
         std::to_string(destination.port) +
         (destination.private_addresses ? std::string(kPrivate) : "");
}

std::optional<std::size_t> FindDestination(
    std::span<const Destination> destinations, std::string_view host,
    std::uint16_t port) {
  const auto found =
      std::ranges::find_if(destinations, [&](const Destination& candidate) {
        return candidate.host == host && candidate.port == port;
      });
  if (found == destinations.end()) return std::nullopt;
  return static_cast<std::size_t>(found - destinations.begin());
}

std::vector<std::string> ProxyVariables(
    std::span<const Destination> destinations) {
  std::vector<std::string> lines;
  const std::string url = "http://127.0.0.1:" + std::to_string(kProxyPort);
  for (const char* name :
       {"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"}) {
    lines.push_back(std::string(name) + "=" + url);
  }
  // What runs inside the cell is reached directly.
  std::string direct;
  for (const std::string_view own : {"localhost", "127.0.0.1", "::1"}) {
    const bool listed =
        std::ranges::any_of(destinations, [&](const Destination& destination) {
          return destination.host == own;
        });
    if (!listed) direct += (direct.empty() ? "" : ",") + std::string(own);
  }
  lines.push_back("no_proxy=" + direct);
  lines.push_back("NO_PROXY=" + direct);
  return lines;
}

}  // namespace assay::sandbox
