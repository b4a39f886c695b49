#include "runner/telemetry/output_reader.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <exception>
#include <utility>

namespace assay::telemetry {

namespace asio = boost::asio;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
// Read in one go before others get their turn.
constexpr int kRounds = 16;

}  // namespace

struct OutputReader::State {
  State(asio::any_io_executor executor, sandbox::UniqueFd fd,
        LogChannel& channel, std::size_t keep)
      : pipe(executor, fd.Release()),
        news(executor, asio::steady_timer::time_point::max()),
        channel(&channel),
        keep(keep) {}

  // False at the end of the pipe.
  bool ReadSome(int rounds) {
    std::array<char, 64 << 10> chunk;
    for (int i = 0; i < rounds && pipe.is_open(); ++i) {
      const ssize_t size =
          read(pipe.native_handle(), chunk.data(), chunk.size());
      if (size == 0) return false;
      if (size < 0) return errno == EAGAIN || errno == EINTR;
      Take({chunk.data(), static_cast<std::size_t>(size)});
    }
    return true;
  }

  void Take(std::string_view bytes) {
    text += bytes.substr(0, keep - std::min(keep, text.size()));
    tail += bytes.substr(bytes.size() - std::min(bytes.size(), kTail));
    if (tail.size() > 4 * kTail) tail.erase(0, tail.size() - kTail);
    if (channel != nullptr) channel->Append(bytes);
    news.cancel();
  }

  static asio::awaitable<void> Read(std::shared_ptr<State> self) {
    while (self->pipe.is_open()) {
      const auto [error] = co_await self->pipe.async_wait(
          asio::posix::descriptor_base::wait_read, kTuple);
      if (error || !self->ReadSome(kRounds)) break;
    }
    self->ended = true;
    self->news.cancel();
    boost::system::error_code ignored;
    self->pipe.close(ignored);
  }

  asio::posix::stream_descriptor pipe;
  // Cancelled whenever something has come.
  asio::steady_timer news;
  // Null once the reader is gone.
  LogChannel* channel;
  const std::size_t keep;
  std::string text;
  std::string tail;
  bool ended = false;
};

OutputReader::OutputReader(asio::any_io_executor executor,
                           sandbox::UniqueFd pipe, LogChannel& channel,
                           std::size_t keep)
    : state_(
          std::make_shared<State>(executor, std::move(pipe), channel, keep)) {
  asio::co_spawn(executor, State::Read(state_), [](std::exception_ptr thrown) {
    if (thrown) std::rethrow_exception(thrown);
  });
}

OutputReader::~OutputReader() {
  state_->channel = nullptr;
  boost::system::error_code ignored;
  state_->pipe.close(ignored);
}

void OutputReader::Drain() { state_->ReadSome(2 * kRounds); }

const std::string& OutputReader::text() const { return state_->text; }

std::string OutputReader::Tail() const {
  const std::string& tail = state_->tail;
  return tail.substr(tail.size() - std::min(tail.size(), kTail));
}

asio::awaitable<bool> OutputReader::WaitFor(
    std::string words, std::chrono::steady_clock::time_point deadline) {
  const auto state = state_;
  std::size_t searched = 0;
  while (true) {
    const std::size_t from = searched - std::min(searched, words.size());
    if (state->text.find(words, from) != std::string::npos) co_return true;
    searched = state->text.size();
    if (state->ended || std::chrono::steady_clock::now() >= deadline) {
      co_return false;
    }
    state->news.expires_at(deadline);
    co_await state->news.async_wait(kTuple);
  }
}

}  // namespace assay::telemetry
