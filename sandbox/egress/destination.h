#ifndef ASSAY_SANDBOX_EGRESS_DESTINATION_H_
#define ASSAY_SANDBOX_EGRESS_DESTINATION_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/error.h"

namespace assay::sandbox {

// Said of a destination by whoever vouches for it: it may lie on this machine,
// in a private network, or wherever else address_range.h refuses to go. There
// is no default and no way to say it of all destinations.
struct AllowPrivateAddresses {
  bool operator==(const AllowPrivateAddresses&) const = default;
};

// One place that a cell may reach.
struct Destination {
  // A name or an address; lower case, without a final dot or brackets.
  std::string host;
  std::uint16_t port = 0;
  std::optional<AllowPrivateAddresses> private_addresses;

  bool operator==(const Destination&) const = default;
};

// More are a mistake.
inline constexpr std::size_t kMostDestinations = 256;

// "registry.example.org:443", "[::1]:80"; "HOST:PORT/private" for one that may
// have a private address. kInvalidArgument for anything else.
Expected<Destination> ParseDestination(std::string_view text);
// The same, as ParseDestination reads it.
std::string FormatDestination(const Destination& destination);

// The host of an authority as Destination writes it; empty if it cannot be one.
std::string CanonicalHost(std::string_view host);

// The position of the destination that `host` (canonical) and `port` name.
std::optional<std::size_t> FindDestination(
    std::span<const Destination> destinations, std::string_view host,
    std::uint16_t port);

// Where the proxy listens inside a cell.
inline constexpr std::uint16_t kProxyPort = 3128;

// The variables by which programs find the proxy: "http_proxy=...".
std::vector<std::string> ProxyVariables(
    std::span<const Destination> destinations);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_EGRESS_DESTINATION_H_
