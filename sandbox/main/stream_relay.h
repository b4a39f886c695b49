#ifndef ASSAY_SANDBOX_MAIN_STREAM_RELAY_H_
#define ASSAY_SANDBOX_MAIN_STREAM_RELAY_H_

#include <cstddef>
#include <cstdint>
#include <functional>

#include "sandbox/cell/unique_fd.h"
#include "sandbox/launcher/event_loop.h"
#include "sandbox/main/run_command.h"

namespace assay::sandbox {

// Passes bytes from one descriptor on to another from an event loop that has
// more to do: neither side, however slow, holds it up. Our own streams may be
// shared with other programs and so stay in blocking mode; they are written to
// when the kernel says that there is room, and no more than fits a pipe then.
//
// Ownership: borrows loop; the destructor stops watching.
class StreamRelay {
 public:
  struct Rules {
    // Bytes that are passed on, 0: all. `on_cap` is called when there are more.
    std::int64_t cap = 0;
    std::function<void()> on_cap = [] {};
    // Whether to go on reading when what was read cannot be written.
    bool read_on = true;
  };
  StreamRelay(EventLoop& loop, UniqueFd from, UniqueFd to, Rules rules);
  StreamRelay(const StreamRelay&) = delete;
  StreamRelay& operator=(const StreamRelay&) = delete;
  ~StreamRelay();

  // Passes on what there is to read now, for as long as the other side makes
  // it wait, and stops.
  void Finish();

  const StreamResult& result() const { return result_; }

 private:
  bool Read();
  bool WriteSome();
  void Pump();
  void WaitFor(const UniqueFd& fd, std::uint32_t events);
  void StopWaiting();
  void Stop();
  bool full() const { return begin_ < end_; }

  EventLoop& loop_;
  UniqueFd from_;
  UniqueFd to_;
  const Rules rules_;
  // The most that can be written to `to_` without waiting.
  const std::size_t chunk_;
  EventLoop::Token watch_ = 0;
  EventLoop::Token again_ = 0;
  StreamResult result_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool ended_ = false;
  char buffer_[64 << 10];
};

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_MAIN_STREAM_RELAY_H_
