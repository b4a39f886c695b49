#ifndef ASSAY_RUNNER_SIDECARS_REDIS_COMMAND_H_
#define ASSAY_RUNNER_SIDECARS_REDIS_COMMAND_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <string>

#include "proto/base/error.h"
#include "runner/wires/network.h"

namespace assay::sidecars {

// Runs one inline command on a Redis over a connection of its own. The answer
// must be a simple string ("+OK"); anything else is an Error.
boost::asio::awaitable<Status> RunRedisCommand(
    wires::Network& network, std::uint16_t port, std::string command,
    std::chrono::steady_clock::time_point deadline);

// Keeps the contents in a file, and brings them back without closing anybody's
// connection. The blueprint's settings allow both.
inline constexpr const char* kRedisSnapshot = "SAVE";
inline constexpr const char* kRedisRestore = "DEBUG RELOAD NOSAVE";

}  // namespace assay::sidecars

#endif  // ASSAY_RUNNER_SIDECARS_REDIS_COMMAND_H_
