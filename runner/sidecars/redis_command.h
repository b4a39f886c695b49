#ifndef ASSAY_RUNNER_SIDECARS_REDIS_COMMAND_H_
#define ASSAY_RUNNER_SIDECARS_REDIS_COMMAND_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "proto/base/error.h"
#include "runner/sidecars/redis_reply.h"
#include "runner/wires/network.h"

namespace assay::sidecars {

using RedisDeadline = std::chrono::steady_clock::time_point;

// Sends one command to a Redis over a connection of its own. What it refuses is
// data. Errors: UNAVAILABLE, DEADLINE_EXCEEDED, those of ReadRedisReply.
boost::asio::awaitable<Expected<RedisReply>> AskRedis(
    wires::Network& network, std::uint16_t port,
    std::vector<std::string> arguments, RedisDeadline deadline);

// Runs an inline command of ours, which must not be refused.
boost::asio::awaitable<Status> RunRedisCommand(wires::Network& network,
                                               std::uint16_t port,
                                               std::string command,
                                               RedisDeadline deadline);

// Keeps the contents in a file, and brings them back without closing anybody's
// connection. The blueprint's settings allow both.
inline constexpr const char* kRedisSnapshot = "SAVE";
inline constexpr const char* kRedisRestore = "DEBUG RELOAD NOSAVE";

}  // namespace assay::sidecars

#endif  // ASSAY_RUNNER_SIDECARS_REDIS_COMMAND_H_
