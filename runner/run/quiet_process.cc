#include "runner/run/quiet_process.h"

#include <chrono>

namespace assay::run {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {
constexpr std::chrono::seconds kReap{2};
}  // namespace

asio::awaitable<Expected<std::string>> RunQuietly(
    asio::any_io_executor executor, sandbox::Cell& cell, std::uint32_t process,
    LiveProcess::Deadline deadline) {
  ASSAY_CO_ASSIGN_OR_RETURN(sandbox::Process started, cell.Start(process));
  QuietProcess quiet(executor, std::move(started), 0);
  if (!co_await quiet.live().WaitEnd(deadline)) {
    ASSAY_CO_RETURN_IF_ERROR(quiet.live().Kill());
    co_await quiet.live().WaitEnd(steady_clock::now() + kReap);
    co_return std::string("it was not done in time");
  }
  const sandbox::Termination& end = *quiet.live().ended();
  if (end.Succeeded()) co_return std::string();
  const std::string words = quiet.live().LastWords();
  co_return sandbox::Describe(end.ending) + (words.empty() ? "" : ": ") + words;
}

}  // namespace assay::run
