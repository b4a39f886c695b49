#ifndef ASSAY_SANDBOX_EGRESS_ADDRESS_RANGE_H_
#define ASSAY_SANDBOX_EGRESS_ADDRESS_RANGE_H_

#include <sys/socket.h>

#include <string>
#include <string_view>

namespace assay::sandbox {

// The name of the range in which an address lies that no cell may reach unasked
// ("loopback", "private", "link-local", ...), or empty: a public address.
// Addresses that carry an IPv4 address inside (mapped, NAT64, 6to4, Teredo) are
// judged by that one, or refused. Families but IPv4 and IPv6 are refused.
std::string_view RefusedRange(const sockaddr* address);

// "192.0.2.1", "2001:db8::1".
std::string AddressText(const sockaddr* address);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_EGRESS_ADDRESS_RANGE_H_
