#include "runner/run/event_writer.h"

#include <fcntl.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <poll.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <string>
#include <utility>

#include "proto/base/fault_point.h"
#include "runner/telemetry/trace_context.h"

namespace assay::run {

namespace asio = boost::asio;

struct EventWriter::State : std::enable_shared_from_this<EventWriter::State> {
  State(asio::any_io_executor executor, sandbox::UniqueFd fd,
        std::uint64_t epoch)
      : stream(std::move(executor), fd.Release()), epoch(epoch) {
    stream.non_blocking(true);
  }

  // Writes what the reader takes now. False: it is gone.
  bool WriteSome() {
    while (written < queue.size()) {
      const ssize_t size = write(stream.native_handle(), queue.data() + written,
                                 queue.size() - written);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) {
        if (errno != EAGAIN) gone = true;
        break;
      }
      written += static_cast<std::size_t>(size);
    }
    if (written == queue.size() || written > (1 << 20) || gone) {
      queue.erase(0, std::exchange(written, 0));
    }
    if (gone) queue.clear();
    return !gone;
  }

  void Arm() {
    if (armed || gone || queue.empty()) return;
    armed = true;
    stream.async_wait(asio::posix::descriptor_base::wait_write,
                      [self = shared_from_this()](auto error) {
                        self->armed = false;
                        if (!error && self->WriteSome()) self->Arm();
                      });
  }

  asio::posix::stream_descriptor stream;
  const std::uint64_t epoch;
  std::string queue;
  std::size_t written = 0;
  bool armed = false;
  bool gone = false;
};

EventWriter::EventWriter(asio::any_io_executor executor, sandbox::UniqueFd fd,
                         std::uint64_t epoch)
    : state_(
          std::make_shared<State>(std::move(executor), std::move(fd), epoch)) {}

EventWriter::~EventWriter() {
  boost::system::error_code ignored;
  state_->stream.close(ignored);
}

void EventWriter::Emit(assay::v1::RunEvent event) {
  const std::uint64_t now = telemetry::NowNanos();
  event.mutable_time()->set_seconds(
      static_cast<std::int64_t>(now / 1'000'000'000));
  event.mutable_time()->set_nanos(
      static_cast<std::int32_t>(now % 1'000'000'000));
  event.set_epoch(state_->epoch);
  {
    google::protobuf::io::StringOutputStream out(&state_->queue);
    google::protobuf::io::CodedOutputStream coded(&out);
    coded.WriteVarint32(static_cast<std::uint32_t>(event.ByteSizeLong()));
    event.SerializeToCodedStream(&coded);
  }
  ReachFaultPoint("run.telling");
  state_->WriteSome();
  if (state_->queue.size() > kBehind) (void)Flush();
  state_->Arm();
}

Status EventWriter::Flush() {
  while (!state_->queue.empty()) {
    if (!state_->WriteSome()) break;
    pollfd polled{state_->stream.native_handle(), POLLOUT, 0};
    if (!state_->queue.empty()) poll(&polled, 1, -1);
  }
  if (state_->gone)
    return Unavailable("nobody reads the run's events any more");
  return {};
}

}  // namespace assay::run
