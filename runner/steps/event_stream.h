#ifndef ASSAY_RUNNER_STEPS_EVENT_STREAM_H_
#define ASSAY_RUNNER_STEPS_EVENT_STREAM_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace assay::steps {

// One message of a stream.
struct ServerEvent {
  // "message" where the stream names none.
  std::string name;
  std::string data;
};

// Takes `text/event-stream` apart, in whatever pieces it comes:
// https://html.spec.whatwg.org/multipage/server-sent-events.html. An event
// that is over the limit makes the stream bad for good.
class EventStream {
 public:
  explicit EventStream(std::size_t event_bytes) : limit_(event_bytes) {}

  // False once the stream is bad.
  bool Feed(std::string_view bytes);
  std::optional<ServerEvent> Take();

 private:
  void Line(std::string_view line);
  void Dispatch();

  const std::size_t limit_;
  bool first_ = true;
  // The last byte was CR: an LF after it belongs to it.
  bool after_return_ = false;
  bool bad_ = false;
  std::string line_;
  std::string name_;
  std::string data_;
  bool has_data_ = false;
  std::deque<ServerEvent> events_;
};

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_EVENT_STREAM_H_
