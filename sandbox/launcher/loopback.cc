#include "sandbox/launcher/loopback.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

#include "sandbox/cell/unique_fd.h"

namespace assay::sandbox {
namespace {

// lo is the first interface of every network namespace.
constexpr std::uint32_t kLoopbackIndex = 1;

// An RTM_NEWROUTE with the attributes that the kernel's own local routes have,
// plus RTAX_QUICKACK.
struct RouteMessage {
  nlmsghdr header;
  rtmsg route;
  struct {
    rtattr head;
    std::uint32_t value;
  } destination, output, source;
  struct {
    rtattr head;
    rtattr metric_head;
    std::uint32_t quickack;
  } metrics;
};

template <class Attribute>
void SetAttribute(Attribute& attribute, unsigned short type,
                  std::uint32_t value) {
  attribute.head.rta_type = type;
  attribute.head.rta_len = sizeof(attribute);
  attribute.value = value;
}

void AcknowledgeAtOnce(int socket, std::uint32_t network, unsigned char bits) {
  RouteMessage message = {};
  message.header.nlmsg_len = sizeof(message);
  message.header.nlmsg_type = RTM_NEWROUTE;
  message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE;
  message.route.rtm_family = AF_INET;
  message.route.rtm_dst_len = bits;
  message.route.rtm_table = RT_TABLE_LOCAL;
  message.route.rtm_protocol = RTPROT_KERNEL;
  message.route.rtm_scope = RT_SCOPE_HOST;
  message.route.rtm_type = RTN_LOCAL;
  SetAttribute(message.destination, RTA_DST, htonl(network));
  SetAttribute(message.output, RTA_OIF, kLoopbackIndex);
  SetAttribute(message.source, RTA_PREFSRC, htonl(INADDR_LOOPBACK));
  message.metrics.head.rta_type = RTA_METRICS;
  message.metrics.head.rta_len = sizeof(message.metrics);
  message.metrics.metric_head.rta_type = RTAX_QUICKACK;
  message.metrics.metric_head.rta_len = sizeof(rtattr) + sizeof(std::uint32_t);
  message.metrics.quickack = 1;
  sockaddr_nl kernel = {};
  kernel.nl_family = AF_NETLINK;
  ::sendto(socket, &message, sizeof(message), 0,
           reinterpret_cast<const sockaddr*>(&kernel), sizeof(kernel));
}

}  // namespace

bool BringLoopbackUp() {
  UniqueFd inet(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = {};
  std::strcpy(request.ifr_name, "lo");
  if (!inet || ::ioctl(inet.get(), SIOCGIFFLAGS, &request) != 0) return false;
  request.ifr_flags |= IFF_UP;
  if (::ioctl(inet.get(), SIOCSIFFLAGS, &request) != 0) return false;
  UniqueFd routes(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!routes) return true;
  AcknowledgeAtOnce(routes.get(), 0x7f000000, 8);
  AcknowledgeAtOnce(routes.get(), INADDR_LOOPBACK, 32);
  return true;
}

}  // namespace assay::sandbox
