#ifndef ASSAY_RUNNER_WIRES_REDIS_SESSION_H_
#define ASSAY_RUNNER_WIRES_REDIS_SESSION_H_

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runner/wires/moment.h"
#include "runner/wires/resp_reader.h"

namespace assay::wires {

// One command and its reply, as they were seen on the wire.
struct RedisCommand {
  // In capitals: "GET".
  std::string name;
  // Without the name, each cut, at most RespValue::kItems.
  std::vector<std::string> arguments;
  Moment begin;
  std::uint64_t end_nanos = 0;
  // Of the reply.
  std::int64_t reply_bytes = 0;
  std::int64_t reply_count = 0;
  bool reply_null = false;
  // "WRONGTYPE Operation against..."; empty: it went well.
  std::string error;
  bool unanswered = false;
};

// A message that was pushed to a subscriber.
struct RedisMessage {
  std::string channel;
  std::int64_t bytes = 0;
  Moment at;
};

// From here on nothing is seen of this connection.
struct RedisFellBack {
  std::string reason;
};
using RedisEvent = std::variant<RedisCommand, RedisMessage, RedisFellBack>;

// Reads along one Redis connection: bytes in, events out, no I/O. Never changes
// a byte and never fails: what it does not understand makes it fall back to
// seeing nothing.
//
// Bounded: kPending commands under way, some 100 KiB a direction.
class RedisSession {
 public:
  static constexpr std::size_t kPending = 16'384;

  void OnClient(std::string_view bytes, Moment now);
  void OnServer(std::string_view bytes, Moment now);
  void OnClose(Moment now);

  std::vector<RedisEvent> TakeEvents();
  bool fell_back() const { return raw_; }

 private:
  struct Pending {
    RedisCommand command;
    // Replies that it still gets; of SUBSCRIBE one for each channel.
    std::int64_t replies = 1;
    // Of the subscribing kind: its replies look like messages.
    bool subscribes = false;
  };

  void Command(RespValue value, Moment now);
  void Reply(const RespValue& value, Moment now);
  // Whether `value` is a message to a subscriber, not the answer to a command.
  bool IsMessage(const RespValue& value) const;
  void FallBack(std::string reason);

  RespReader client_{true};
  RespReader server_{false};
  std::deque<Pending> pending_;
  // Since a SUBSCRIBE was sent, in RESP2 a connection may get messages.
  bool subscriber_ = false;
  std::int64_t channels_ = 0;
  bool raw_ = false;
  std::vector<RedisEvent> events_;
};

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_REDIS_SESSION_H_
