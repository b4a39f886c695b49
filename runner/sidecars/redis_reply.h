#ifndef ASSAY_RUNNER_SIDECARS_REDIS_REPLY_H_
#define ASSAY_RUNNER_SIDECARS_REDIS_REPLY_H_

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/error.h"

// Redis's protocol, RESP2. What replies hold was put there by candidates.
namespace assay::sidecars {

// A command as an array of bulk strings.
std::string EncodeRedisCommand(const std::vector<std::string>& arguments);

struct RedisReply {
  // Statuses and bulks are strings (bytes that are no UTF-8 replaced), nil is
  // null, arrays are arrays.
  nlohmann::json value;
  // What the server refused instead.
  std::optional<std::string> error;
  // Bytes of it.
  std::size_t size = 0;
};

inline constexpr std::size_t kRedisReplyBytes = 32 << 20;
inline constexpr int kRedisReplyDepth = 32;

// Reads one reply off the beginning of `bytes`. Nothing: it is not all there
// yet. DATA_LOSS: not RESP; RESOURCE_EXHAUSTED: over the limits above.
Expected<std::optional<RedisReply>> ReadRedisReply(std::string_view bytes);

}  // namespace assay::sidecars

#endif  // ASSAY_RUNNER_SIDECARS_REDIS_REPLY_H_
