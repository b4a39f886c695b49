#include "services/deadlines/deadlines.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "proto/base/fault_point.h"
#include "services/deadlines/freeze.h"

namespace assay::deadlines {
namespace {

namespace asio = boost::asio;
using storage::AttemptRecord;
using storage::Transaction;

// Attempts that share a transaction: few enough that it stays short, enough
// that ten thousand of one deadline are frozen in seconds.
constexpr std::size_t kAtOnce = 64;
constexpr std::int32_t kMaxDue = 20'000;

Expected<std::vector<Frozen>> FreezeAll(Transaction& tx,
                                        const std::vector<AttemptId>& attempts,
                                        const std::string& graded_ref,
                                        Clock::TimePoint now) {
  std::vector<Frozen> all;
  for (const AttemptId& attempt : attempts) {
    ASSAY_ASSIGN_OR_RETURN(Frozen frozen, Freeze(tx, attempt, graded_ref, now));
    all.push_back(std::move(frozen));
  }
  return all;
}

}  // namespace

class Deadlines::State : public std::enable_shared_from_this<State> {
 public:
  State(asio::any_io_executor executor, storage::Store& store,
        runs::RunFeed& feed, submissions::SubmissionRefs& refs,
        const Clock& clock, DeadlineParts parts)
      : strand_(std::move(executor)),
        timer_(strand_),
        store_(store),
        feed_(feed),
        refs_(refs),
        clock_(clock),
        parts_(std::move(parts)) {}

  void Start() {
    asio::co_spawn(strand_, Loop(shared_from_this()),
                   [](std::exception_ptr error) {
                     if (error) std::rethrow_exception(error);
                   });
  }
  void Stop() {
    stopped_ = true;
    timer_.cancel();
  }
  void Wake() {
    woken_ = true;
    timer_.cancel();
  }

  // Freezes what is due; the refs of what was handed in are left to WriteRefs.
  Async<int> FreezeDue();
  asio::awaitable<void> WriteRefs();

 private:
  static asio::awaitable<void> Loop(std::shared_ptr<State> state);
  static asio::awaitable<void> Write(std::shared_ptr<State> state);

  Async<int> FreezeBatch(std::vector<AttemptId> attempts);
  // How long until the next cut-off, at most the sweep's interval.
  asio::awaitable<std::chrono::microseconds> Pause();

  const asio::any_io_executor strand_;
  asio::steady_timer timer_;
  storage::Store& store_;
  runs::RunFeed& feed_;
  submissions::SubmissionRefs& refs_;
  const Clock& clock_;
  const DeadlineParts parts_;
  bool stopped_ = false;
  bool woken_ = false;
  // Refs that are still to be written: ten thousand take longer than the next
  // deadline may wait.
  std::deque<storage::SubmissionRecord> unwritten_;
  bool writing_ = false;
};

asio::awaitable<void> Deadlines::State::Loop(std::shared_ptr<State> state) {
  while (!state->stopped_) {
    // A sweep that failed (a full disk) is repeated after the interval: the
    // rows are as they were.
    (void)co_await state->FreezeDue();
    if (state->stopped_) co_return;
    if (!state->unwritten_.empty() && !state->writing_)
      asio::co_spawn(state->strand_, Write(state),
                     [](std::exception_ptr error) {
                       if (error) std::rethrow_exception(error);
                     });
    state->woken_ = false;
    const auto pause = co_await state->Pause();
    // What changed while the next cut-off was read needs another look.
    if (state->stopped_ || state->woken_) continue;
    state->timer_.expires_after(pause);
    co_await state->timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

asio::awaitable<std::chrono::microseconds> Deadlines::State::Pause() {
  const Clock::TimePoint now = clock_.Now();
  const auto next = co_await store_.Read(
      [now](Transaction& tx) { return tx.attempts.NextCutOff(now); });
  std::chrono::microseconds pause = parts_.sweep_interval;
  // One microsecond more, because the cut-off itself is still in time.
  if (next && *next)
    pause = std::min(pause, **next - now + std::chrono::microseconds(1));
  co_return std::max(pause, std::chrono::microseconds(0));
}

asio::awaitable<void> Deadlines::State::Write(std::shared_ptr<State> state) {
  co_await state->WriteRefs();
}

// The rows are durable, and the next start writes what fails here.
asio::awaitable<void> Deadlines::State::WriteRefs() {
  writing_ = true;
  while (!unwritten_.empty() && !stopped_) {
    storage::SubmissionRecord next = std::move(unwritten_.front());
    unwritten_.pop_front();
    (void)co_await refs_.Write(std::move(next));
  }
  writing_ = false;
}

Async<int> Deadlines::State::FreezeDue() {
  const Clock::TimePoint now = clock_.Now();
  ASSAY_CO_ASSIGN_OR_RETURN(
      const std::vector<AttemptRecord> due,
      co_await store_.Read(
          [now, node = parts_.node,
           since = now - parts_.silent_after](Transaction& tx) {
            return tx.attempts.ListPastCutOff(now, kMaxDue, node, since);
          }));
  int frozen = 0;
  std::vector<AttemptId> batch;
  for (const AttemptRecord& attempt : due) {
    // Whoever stopped this may have gone, and the store with them.
    if (stopped_) co_return frozen;
    if (!parts_.has_arrivals(attempt.repository, *attempt.clock.cut_off_time))
      batch.push_back(attempt.id);
    if (batch.size() < kAtOnce) continue;
    ASSAY_CO_ASSIGN_OR_RETURN(const int count,
                              co_await FreezeBatch(std::exchange(batch, {})));
    frozen += count;
  }
  if (!batch.empty() && !stopped_) {
    ASSAY_CO_ASSIGN_OR_RETURN(const int count,
                              co_await FreezeBatch(std::move(batch)));
    frozen += count;
  }
  co_return frozen;
}

Async<int> Deadlines::State::FreezeBatch(std::vector<AttemptId> attempts) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const std::vector<Frozen> all,
      co_await store_.Write([attempts = std::move(attempts),
                             ref = parts_.graded_ref,
                             now = clock_.Now()](Transaction& tx) {
        return FreezeAll(tx, attempts, ref, now);
      }));
  ReachFaultPoint("deadline.frozen");
  int count = 0;
  for (const Frozen& frozen : all) {
    if (!frozen.frozen) continue;
    ++count;
    if (!stopped_) feed_.Touch(frozen.attempt);
    if (!frozen.submitted || stopped_) continue;
    feed_.Publish(frozen.submitted->changes);
    unwritten_.push_back(frozen.submitted->submission);
  }
  co_return count;
}

Deadlines::Deadlines(asio::any_io_executor strand, storage::Store& store,
                     runs::RunFeed& feed, submissions::SubmissionRefs& refs,
                     const Clock& clock, DeadlineParts parts)
    : state_(std::make_shared<State>(std::move(strand), store, feed, refs,
                                     clock, std::move(parts))) {}
Deadlines::~Deadlines() { Stop(); }

void Deadlines::Start() { state_->Start(); }
void Deadlines::Stop() { state_->Stop(); }
void Deadlines::Wake() { state_->Wake(); }

namespace {

// Keeps the state alive, should the owner go while a sweep is suspended.
template <class State>
Async<int> SweepOf(std::shared_ptr<State> state) {
  auto frozen = co_await state->FreezeDue();
  co_await state->WriteRefs();
  co_return frozen;
}

}  // namespace

Async<int> Deadlines::Sweep() { return SweepOf(state_); }

}  // namespace assay::deadlines
