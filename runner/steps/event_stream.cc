#include "runner/steps/event_stream.h"

#include <utility>

namespace assay::steps {

namespace {
// Events that were not taken yet.
constexpr std::size_t kMostWaiting = 10'000;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
}  // namespace

bool EventStream::Feed(std::string_view bytes) {
  for (const char c : bytes) {
    if (bad_) return false;
    if (c == '\n' && std::exchange(after_return_, false)) continue;
    after_return_ = c == '\r';
    if (c == '\n' || c == '\r') {
      Line(line_);
      line_.clear();
    } else {
      line_ += c;
    }
    bad_ = line_.size() + data_.size() + name_.size() > limit_ ||
           events_.size() > kMostWaiting;
  }
  return !bad_;
}

void EventStream::Line(std::string_view line) {
  if (std::exchange(first_, false) && line.starts_with(kByteOrderMark)) {
    line.remove_prefix(kByteOrderMark.size());
  }
  if (line.empty()) return Dispatch();
  const std::size_t colon = line.find(':');
  const std::string_view field = line.substr(0, colon);
  std::string_view value;
  if (colon != std::string_view::npos) value = line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "event") name_ = value;
  if (field == "data") {
    if (has_data_) data_ += '\n';
    data_ += value;
    has_data_ = true;
  }
}

void EventStream::Dispatch() {
  std::string name = std::exchange(name_, {});
  if (!std::exchange(has_data_, false)) return;
  events_.push_back(
      {name.empty() ? "message" : std::move(name), std::exchange(data_, {})});
}

std::optional<ServerEvent> EventStream::Take() {
  if (events_.empty()) return std::nullopt;
  ServerEvent event = std::move(events_.front());
  events_.pop_front();
  return event;
}

}  // namespace assay::steps
