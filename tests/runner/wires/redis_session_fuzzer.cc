// Two sessions read the same conversation, one of them byte by byte; they must
// tell the same, whatever the bytes are.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "runner/wires/redis_session.h"

namespace {

using assay::wires::RedisSession;

std::string Tell(RedisSession& session) {
  std::string told;
  for (const auto& event : session.TakeEvents()) {
    told += std::to_string(event.index()) + ":";
    if (const auto* c = std::get_if<assay::wires::RedisCommand>(&event)) {
      told += c->name + "|" + c->error + "|" + std::to_string(c->reply_bytes) +
              "|" + std::to_string(c->arguments.size());
    }
    if (const auto* f = std::get_if<assay::wires::RedisFellBack>(&event)) {
      told += f->reason;
    }
    told += '\n';
  }
  return told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  RedisSession whole;
  RedisSession pieces;
  while (!rest.empty()) {
    const auto head = static_cast<std::uint8_t>(rest[0]);
    rest.remove_prefix(1);
    const std::string_view chunk =
        rest.substr(0, static_cast<std::size_t>(head & 0x7f) + 1);
    rest.remove_prefix(chunk.size());
    if ((head & 0x80) != 0) {
      whole.OnClient(chunk, {});
      for (const char& c : chunk) pieces.OnClient({&c, 1}, {});
    } else {
      whole.OnServer(chunk, {});
      for (const char& c : chunk) pieces.OnServer({&c, 1}, {});
    }
  }
  whole.OnClose({});
  pieces.OnClose({});
  if (Tell(whole) != Tell(pieces)) std::abort();
  return 0;
}
