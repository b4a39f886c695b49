// Replies of Redis: a whole one is read again from its own bytes, and a cut one
// is never taken for a whole one of the same length.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "runner/sidecars/redis_reply.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using assay::sidecars::ReadRedisReply;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto reply = ReadRedisReply(bytes);
  if (!reply || !*reply) return 0;
  const std::size_t length = (*reply)->size;
  if (length > size) abort();
  const auto again = ReadRedisReply(bytes.substr(0, length));
  if (!again || !*again || (*again)->value != (*reply)->value) abort();
  const auto cut = ReadRedisReply(bytes.substr(0, length - 1));
  if (cut && *cut) abort();
  return 0;
}
