#include "sandbox/main/stream_relay.h"

#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace assay::sandbox {
namespace {

std::size_t ChunkFor(int fd, std::size_t most) {
  struct stat info;
  const bool file = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  return file ? most : PIPE_BUF;
}

}  // namespace

StreamRelay::StreamRelay(EventLoop& loop, UniqueFd from, UniqueFd to,
                         Rules rules)
    : loop_(loop),
      from_(std::move(from)),
      to_(std::move(to)),
      rules_(std::move(rules)),
      chunk_(ChunkFor(to_.get(), sizeof(buffer_))) {
  WaitFor(from_, EPOLLIN);
}

StreamRelay::~StreamRelay() { StopWaiting(); }

// A file cannot be waited for: it is always ready.
void StreamRelay::WaitFor(const UniqueFd& fd, std::uint32_t events) {
  StopWaiting();
  watch_ = loop_.Watch(fd.get(), events, [this](std::uint32_t) { Pump(); });
  if (watch_ == 0) {
    again_ = loop_.At(EventLoop::Clock::now(), [this] { Pump(); });
  }
}

void StreamRelay::StopWaiting() {
  loop_.Unwatch(std::exchange(watch_, 0));
  loop_.CancelTimer(std::exchange(again_, 0));
}

void StreamRelay::Stop() {
  StopWaiting();
  from_.Reset();
  to_.Reset();
}

void StreamRelay::Pump() {
  if (!full()) Read();
  while (full() && WriteSome()) continue;
  if (full()) return WaitFor(to_, EPOLLOUT);
  if (ended_) return Stop();
  WaitFor(from_, EPOLLIN);
}

// False if there was nothing, or will be nothing any more.
bool StreamRelay::Read() {
  const ssize_t n = ::read(from_.get(), buffer_, sizeof(buffer_));
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  ended_ = n <= 0;
  if (ended_) return false;
  std::int64_t size = n;
  if (rules_.cap > 0 && result_.bytes + size > rules_.cap) {
    size = rules_.cap - result_.bytes;
    result_.truncated = ended_ = true;
    rules_.on_cap();
  }
  result_.bytes += size;
  begin_ = 0;
  end_ = to_ ? static_cast<std::size_t>(size) : 0;
  return true;
}

// False if there is no room.
bool StreamRelay::WriteSome() {
  pollfd room = {to_.get(), POLLOUT, 0};
  if (::poll(&room, 1, 0) != 1) return false;
  const ssize_t n =
      ::write(to_.get(), buffer_ + begin_, std::min(end_ - begin_, chunk_));
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (n >= 0) {
    begin_ += static_cast<std::size_t>(n);
  } else {
    // Where the reader has gone, the writer is to notice, as it would without
    // us between them.
    const bool nobody = errno == EPIPE;
    if (!nobody) result_.write_error = errno;
    begin_ = end_ = 0;
    ended_ = ended_ || nobody || !rules_.read_on;
    to_.Reset();
  }
  return true;
}

void StreamRelay::Finish() {
  while (from_) {
    while (full()) {
      if (WriteSome()) continue;
      pollfd room = {to_.get(), POLLOUT, 0};
      ::poll(&room, 1, -1);
    }
    if (ended_ || !Read()) Stop();
  }
}

}  // namespace assay::sandbox
