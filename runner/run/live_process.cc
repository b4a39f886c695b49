#include "runner/run/live_process.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>
#include <vector>

#include "runner/wires/spawn.h"

namespace assay::run {

namespace asio = boost::asio;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kWordsBytes = 600;

// The last non-empty lines of `text` that fit.
std::string LastLines(std::string_view text) {
  std::vector<std::string_view> lines;
  std::size_t size = 0;
  while (!text.empty() && size < kWordsBytes) {
    const std::size_t end = text.find_last_not_of(" \t\r\n");
    if (end == std::string_view::npos) break;
    text = text.substr(0, end + 1);
    const std::size_t begin = text.rfind('\n') + 1;
    std::string_view line = text.substr(begin);
    line = line.substr(0, kWordsBytes);
    size += line.size() + 3;
    if (size <= kWordsBytes || lines.empty()) lines.push_back(line);
    text = text.substr(0, begin);
  }
  std::string joined;
  for (auto it = lines.rbegin(); it != lines.rend(); ++it) {
    if (!joined.empty()) joined += " | ";
    joined += *it;
  }
  return joined;
}

}  // namespace

struct LiveProcess::State {
  State(asio::any_io_executor executor, sandbox::Process started)
      : process(std::move(started)),
        exit(executor, process.exit_fd()),
        news(executor, asio::steady_timer::time_point::max()) {}
  // The descriptor is the process's own.
  ~State() { (void)exit.release(); }

  static asio::awaitable<void> Watch(std::shared_ptr<State> self) {
    while (!self->ended && !self->dropped) {
      const auto [error] = co_await self->exit.async_wait(
          asio::posix::descriptor_base::wait_read, kTuple);
      if (error) co_return;
      self->ended = self->process.TakeTermination();
    }
    self->news.cancel();
  }

  sandbox::Process process;
  asio::posix::stream_descriptor exit;
  // Cancelled at the end.
  asio::steady_timer news;
  std::optional<sandbox::Termination> ended;
  bool dropped = false;
};

LiveProcess::LiveProcess(asio::any_io_executor executor,
                         sandbox::Process process,
                         telemetry::LogChannel& channel, std::size_t keep)
    : state_(std::make_shared<State>(executor, std::move(process))),
      out_(std::make_unique<telemetry::OutputReader>(
          executor, state_->process.TakeStdout(), channel, keep)),
      err_(std::make_unique<telemetry::OutputReader>(
          executor, state_->process.TakeStderr(), channel, keep)) {
  wires::Spawn(executor, State::Watch(state_));
}

LiveProcess::~LiveProcess() {
  state_->dropped = true;
  boost::system::error_code ignored;
  state_->exit.cancel(ignored);
}

const std::optional<sandbox::Termination>& LiveProcess::ended() const {
  // The event may be there and its turn not have come.
  if (!state_->ended) state_->ended = state_->process.TakeTermination();
  return state_->ended;
}

asio::awaitable<bool> LiveProcess::WaitEnd(Deadline deadline) {
  const auto state = state_;
  while (!ended() && std::chrono::steady_clock::now() < deadline) {
    state->news.expires_at(deadline);
    co_await state->news.async_wait(kTuple);
  }
  if (state->ended) {
    out_->Drain();
    err_->Drain();
  }
  co_return state->ended.has_value();
}

Status LiveProcess::Kill() { return state_->process.Kill(); }

Status LiveProcess::Signal(int signal) {
  return state_->process.Signal(signal);
}

std::string LiveProcess::LastWords() {
  out_->Drain();
  err_->Drain();
  const std::string words = LastLines(err_->Tail());
  return words.empty() ? LastLines(out_->Tail()) : words;
}

}  // namespace assay::run
