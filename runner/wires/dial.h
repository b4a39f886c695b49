#ifndef ASSAY_RUNNER_WIRES_DIAL_H_
#define ASSAY_RUNNER_WIRES_DIAL_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>

#include "runner/wires/network.h"

namespace assay::wires {

// The source address of our own connections to a sidecar: its access rules
// tell them from those that a service makes through a wire.
inline constexpr std::uint32_t kOwnAddress = 0x7f000002;  // 127.0.0.2
inline constexpr std::uint32_t kAnyAddress = 0;

// Connects to 127.0.0.1:`port` of `network`, from `source`, with TCP_NODELAY.
// UNAVAILABLE: nothing listens there, or no answer within `timeout`.
boost::asio::awaitable<Expected<boost::asio::ip::tcp::socket>> Dial(
    Network& network, std::uint16_t port, std::chrono::milliseconds timeout,
    std::uint32_t source = kAnyAddress);

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_DIAL_H_
