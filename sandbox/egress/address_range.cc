#include "sandbox/egress/address_range.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace assay::sandbox {
namespace {

struct Range4 {
  std::uint32_t network;
  int bits;
  std::string_view name;
};

constexpr std::uint32_t Ip(std::uint32_t a, std::uint32_t b, std::uint32_t c,
                           std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

// docs/reference lists them; after IANA's registry of special addresses.
constexpr std::array<Range4, 14> kRefused4 = {{
    {Ip(0, 0, 0, 0), 8, "this-network"},
    {Ip(10, 0, 0, 0), 8, "private"},
    {Ip(100, 64, 0, 0), 10, "shared"},
    {Ip(127, 0, 0, 0), 8, "loopback"},
    {Ip(169, 254, 0, 0), 16, "link-local"},
    {Ip(172, 16, 0, 0), 12, "private"},
    {Ip(192, 0, 0, 0), 24, "protocol-assignments"},
    {Ip(192, 0, 2, 0), 24, "documentation"},
    {Ip(192, 88, 99, 0), 24, "relay"},
    {Ip(192, 168, 0, 0), 16, "private"},
    {Ip(198, 18, 0, 0), 15, "benchmarking"},
    {Ip(198, 51, 100, 0), 24, "documentation"},
    {Ip(203, 0, 113, 0), 24, "documentation"},
    {Ip(224, 0, 0, 0), 3, "multicast or reserved"},
}};

std::string_view Refused4(std::uint32_t address) {
  for (const auto& range : kRefused4) {
    if ((address ^ range.network) >> (32 - range.bits) == 0) return range.name;
  }
  return {};
}

std::uint32_t Ip4At(const unsigned char* bytes) {
  return Ip(bytes[0], bytes[1], bytes[2], bytes[3]);
}

std::string_view Refused6(const unsigned char (&a)[16]) {
  const auto starts = [&a](std::initializer_list<unsigned char> prefix) {
    return std::equal(prefix.begin(), prefix.end(), a);
  };
  if (starts({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff})) {
    return Refused4(Ip4At(a + 12));
  }
  if (starts({0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})) {
    return Refused4(Ip4At(a + 12));
  }
  if (starts({0x20, 0x02})) return Refused4(Ip4At(a + 2));
  if (starts({0x20, 0x01, 0, 0})) return "tunnel";
  if (starts({0x20, 0x01, 0x0d, 0xb8})) return "documentation";
  if (starts({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}) && a[15] == 1) {
    return "loopback";
  }
  if (a[0] == 0xff) return "multicast";
  if ((a[0] & 0xfe) == 0xfc) return "private";
  if (a[0] == 0xfe && (a[1] & 0xc0) == 0x80) return "link-local";
  // Public unicast is 2000::/3; nothing else leads anywhere.
  return (a[0] & 0xe0) == 0x20 ? std::string_view() : "reserved";
}

}  // namespace

std::string_view RefusedRange(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, address, sizeof(in));
    return Refused4(ntohl(in.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 in;
    std::memcpy(&in, address, sizeof(in));
    return Refused6(in.sin6_addr.s6_addr);
  }
  return "unknown";
}

std::string AddressText(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = "?";
  if (address->sa_family == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, address, sizeof(in));
    ::inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text));
  } else if (address->sa_family == AF_INET6) {
    sockaddr_in6 in;
    std::memcpy(&in, address, sizeof(in));
    ::inet_ntop(AF_INET6, &in.sin6_addr, text, sizeof(text));
  }
  return text;
}

}  // namespace assay::sandbox
