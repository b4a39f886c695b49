#include "runner/telemetry/log_channel.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <utility>

namespace assay::telemetry {
namespace {

constexpr std::chrono::milliseconds kGather{20};
constexpr std::size_t kPiece = 16 << 10;

}  // namespace

struct LogChannel::State : std::enable_shared_from_this<LogChannel::State> {
  State(const boost::asio::any_io_executor& executor, EventSink& sink,
        std::string stream, std::int64_t limit)
      : sink(&sink),
        stream(std::move(stream)),
        room(std::max<std::int64_t>(limit, 0)),
        timer(executor) {}

  void Flush(bool end) {
    if (sink == nullptr || (pending.empty() && !end && !cut)) return;
    assay::v1::RunEvent event;
    auto& log = *event.mutable_log();
    log.set_stream(stream);
    log.set_content(std::exchange(pending, {}));
    log.set_hidden(hidden);
    log.set_end(end);
    log.set_truncated(std::exchange(cut, false));
    timer.cancel();
    armed = false;
    sink->Emit(std::move(event));
  }

  void Arm() {
    if (std::exchange(armed, true)) return;
    timer.expires_after(kGather);
    timer.async_wait([weak = weak_from_this()](auto cancelled) {
      if (const auto alive = weak.lock(); alive && !cancelled) {
        alive->Flush(false);
      }
    });
  }

  // Null after the end.
  EventSink* sink;
  const std::string stream;
  std::int64_t room;
  boost::asio::steady_timer timer;
  std::string pending;
  bool hidden = false;
  bool armed = false;
  // Something was left out.
  bool full = false;
  // That has not been told.
  bool cut = false;
};

LogChannel::LogChannel(boost::asio::any_io_executor executor, EventSink& sink,
                       std::string stream, std::int64_t limit)
    : state_(std::make_shared<State>(std::move(executor), sink,
                                     std::move(stream), limit)) {}

LogChannel::~LogChannel() { End(); }

void LogChannel::Append(std::string_view bytes) {
  if (bytes.empty() || state_->sink == nullptr || state_->full) return;
  const std::size_t taken =
      std::min(bytes.size(), static_cast<std::size_t>(state_->room));
  state_->pending += bytes.substr(0, taken);
  state_->room -= static_cast<std::int64_t>(taken);
  // What just fits is whole.
  state_->cut = state_->full = taken < bytes.size();
  if (state_->pending.size() >= kPiece || state_->cut) {
    state_->Flush(false);
  } else {
    state_->Arm();
  }
}

void LogChannel::Flush() { state_->Flush(false); }

void LogChannel::SetHidden(bool hidden) {
  if (hidden == state_->hidden) return;
  Flush();
  state_->hidden = hidden;
}

void LogChannel::End() {
  state_->Flush(true);
  state_->sink = nullptr;
}

}  // namespace assay::telemetry
