#include "runner/sidecars/redis_reply.h"

#include <charconv>
#include <utility>

namespace assay::sidecars {
namespace {

using nlohmann::json;

// Of all elements of a reply, those of nested arrays included.
constexpr int kMostElements = 1'000'000;

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  // False: not all there.
  Expected<bool> Read(json& value, std::optional<std::string>& error,
                      int depth) {
    if (depth > kRedisReplyDepth || ++elements_ > kMostElements) {
      return ResourceExhausted("the reply is nested too deeply or too long");
    }
    std::string_view line;
    if (!Line(line)) return false;
    if (line.empty()) return DataLoss("an empty line in a reply");
    const char type = line[0];
    line.remove_prefix(1);
    switch (type) {
      case '+':
        value = Text(line);
        return true;
      case '-':
        // An error inside an array is one of its elements.
        value = Text(line);
        if (depth == 0) error = value.get<std::string>();
        return true;
      case ':': {
        ASSAY_ASSIGN_OR_RETURN(value, Number(line));
        return true;
      }
      case '$':
        return Bulk(line, value);
      case '*':
        return Array(line, value, error, depth);
      default:
        return DataLoss("a reply of an unknown type");
    }
  }
  std::size_t left() const { return rest_.size(); }

 private:
  bool Line(std::string_view& line) {
    const std::size_t end = rest_.find("\r\n");
    if (end == std::string_view::npos) return false;
    line = rest_.substr(0, end);
    rest_.remove_prefix(end + 2);
    return true;
  }
  static Expected<std::int64_t> Number(std::string_view line) {
    std::int64_t number = 0;
    const auto [end, error] =
        std::from_chars(line.data(), line.data() + line.size(), number);
    if (error != std::errc() || end != line.data() + line.size()) {
      return DataLoss("a number of a reply is none");
    }
    return number;
  }
  // What JSON can hold.
  static json Text(std::string_view bytes) {
    const json raw = std::string(bytes);
    return json::parse(
        raw.dump(-1, ' ', false, json::error_handler_t::replace));
  }
  Expected<bool> Bulk(std::string_view line, json& value) {
    ASSAY_ASSIGN_OR_RETURN(const std::int64_t size, Number(line));
    if (size == -1) {
      value = nullptr;
      return true;
    }
    if (size < 0) return DataLoss("a length of a reply is none");
    if (static_cast<std::size_t>(size) > kRedisReplyBytes) {
      return ResourceExhausted("the reply is over ", kRedisReplyBytes >> 20,
                               " MiB");
    }
    const auto length = static_cast<std::size_t>(size);
    if (rest_.size() < length + 2) return false;
    if (rest_.substr(length, 2) != "\r\n") {
      return DataLoss("a reply is longer than it says");
    }
    value = Text(rest_.substr(0, length));
    rest_.remove_prefix(length + 2);
    return true;
  }
  Expected<bool> Array(std::string_view line, json& value,
                       std::optional<std::string>& error, int depth) {
    ASSAY_ASSIGN_OR_RETURN(const std::int64_t count, Number(line));
    value = count < 0 ? json(nullptr) : json::array();
    for (std::int64_t i = 0; i < count; ++i) {
      json element;
      ASSAY_ASSIGN_OR_RETURN(const bool complete,
                             Read(element, error, depth + 1));
      if (!complete) return false;
      value.push_back(std::move(element));
    }
    return true;
  }

  std::string_view rest_;
  int elements_ = 0;
};

}  // namespace

std::string EncodeRedisCommand(const std::vector<std::string>& arguments) {
  std::string bytes = "*" + std::to_string(arguments.size()) + "\r\n";
  for (const std::string& argument : arguments) {
    bytes += "$" + std::to_string(argument.size()) + "\r\n";
    bytes += argument;
    bytes += "\r\n";
  }
  return bytes;
}

Expected<std::optional<RedisReply>> ReadRedisReply(std::string_view bytes) {
  RedisReply reply;
  Reader reader(bytes);
  ASSAY_ASSIGN_OR_RETURN(const bool complete,
                         reader.Read(reply.value, reply.error, 0));
  if (complete) {
    reply.size = bytes.size() - reader.left();
    return std::optional<RedisReply>(std::move(reply));
  }
  if (bytes.size() > kRedisReplyBytes) {
    return ResourceExhausted("the reply is over ", kRedisReplyBytes >> 20,
                             " MiB");
  }
  return std::optional<RedisReply>();
}

}  // namespace assay::sidecars
