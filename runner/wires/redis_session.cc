#include "runner/wires/redis_session.h"

#include <algorithm>
#include <utility>

namespace assay::wires {
namespace {

std::string Upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

bool IsOneOf(std::string_view text, std::initializer_list<const char*> words) {
  return std::ranges::any_of(words, [&](const char* w) { return text == w; });
}

bool Subscribes(std::string_view name) {
  return IsOneOf(name, {"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"});
}
bool Unsubscribes(std::string_view name) {
  return IsOneOf(name, {"UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"});
}

// Why nothing can be followed after this command; empty: it can.
std::string EndsProtocol(const RedisCommand& command) {
  if (IsOneOf(command.name, {"MONITOR", "SYNC", "PSYNC"})) {
    return command.name + " turns the connection into a stream";
  }
  if (command.name == "CLIENT" && command.arguments.size() > 1 &&
      Upper(command.arguments[0]) == "REPLY" &&
      Upper(command.arguments[1]) != "ON") {
    return "CLIENT REPLY leaves commands without replies";
  }
  return "";
}

}  // namespace

void RedisSession::OnClient(std::string_view bytes, Moment now) {
  while (!raw_ && !bytes.empty()) {
    RespValue value;
    switch (client_.Next(bytes, value)) {
      case RespReader::Result::kNeedMore:
        return;
      case RespReader::Result::kNotTheProtocol:
        return FallBack("the client does not speak Redis's protocol");
      case RespReader::Result::kValue:
        Command(std::move(value), now);
    }
  }
}

void RedisSession::Command(RespValue value, Moment now) {
  if (value.type != '*' && value.type != ' ') {
    return FallBack("the client does not speak Redis's protocol");
  }
  if (value.items.empty()) return;  // An empty array is ignored.
  Pending pending;
  pending.command.name = Upper(std::move(value.items.front()));
  value.items.erase(value.items.begin());
  pending.command.arguments = std::move(value.items);
  pending.command.begin = now;
  const auto arguments = value.count - 1;
  if (Subscribes(pending.command.name)) {
    pending.subscribes = true;
    pending.replies = std::max<std::int64_t>(1, arguments);
    subscriber_ = true;
    channels_ += pending.replies;
  } else if (Unsubscribes(pending.command.name)) {
    pending.subscribes = true;
    // Without arguments: one for every channel that there is.
    pending.replies =
        std::max<std::int64_t>(1, arguments > 0 ? arguments : channels_);
    channels_ -= std::min(channels_, pending.replies);
  }
  if (std::string reason = EndsProtocol(pending.command); !reason.empty()) {
    return FallBack(std::move(reason));
  }
  if (pending_.size() >= kPending) {
    return FallBack("more than " + std::to_string(kPending) +
                    " commands wait for replies");
  }
  pending_.push_back(std::move(pending));
}

void RedisSession::OnServer(std::string_view bytes, Moment now) {
  while (!raw_ && !bytes.empty()) {
    RespValue value;
    switch (server_.Next(bytes, value)) {
      case RespReader::Result::kNeedMore:
        return;
      case RespReader::Result::kNotTheProtocol:
        return FallBack("the server does not speak Redis's protocol");
      case RespReader::Result::kValue:
        Reply(value, now);
    }
  }
}

bool RedisSession::IsMessage(const RespValue& value) const {
  if (value.items.empty()) return false;
  const bool confirms =
      IsOneOf(value.items[0], {"subscribe", "psubscribe", "ssubscribe",
                               "unsubscribe", "punsubscribe", "sunsubscribe"});
  if (confirms && !pending_.empty() && pending_.front().subscribes) {
    return false;
  }
  return value.type == '>' ||
         (subscriber_ && value.type == '*' &&
          IsOneOf(value.items[0], {"message", "pmessage", "smessage"}));
}

void RedisSession::Reply(const RespValue& value, Moment now) {
  if (IsMessage(value)) {
    events_.emplace_back(
        RedisMessage{.channel = value.items.size() > 1 ? value.items[1] : "",
                     .bytes = value.bytes,
                     .at = now});
    return;
  }
  if (pending_.empty()) {
    // A refused connection is told why before it asks.
    if (value.type == '-') return FallBack("the server said: " + value.text);
    return FallBack("a reply came that nothing had asked for");
  }
  Pending& head = pending_.front();
  RedisCommand& command = head.command;
  command.reply_bytes += value.bytes;
  const bool failed = value.type == '-' || value.type == '!';
  if (failed) {
    command.error = value.text;
  } else if (--head.replies > 0) {
    return;
  }
  command.reply_count = value.count;
  command.reply_null = value.null;
  command.end_nanos = now.nanos;
  events_.emplace_back(std::move(command));
  pending_.pop_front();
}

void RedisSession::FallBack(std::string reason) {
  raw_ = true;
  pending_.clear();
  events_.emplace_back(RedisFellBack{std::move(reason)});
}

void RedisSession::OnClose(Moment now) {
  for (Pending& pending : std::exchange(pending_, {})) {
    pending.command.unanswered = true;
    pending.command.end_nanos = now.nanos;
    events_.emplace_back(std::move(pending.command));
  }
  raw_ = true;
}

std::vector<RedisEvent> RedisSession::TakeEvents() {
  return std::exchange(events_, {});
}

}  // namespace assay::wires
