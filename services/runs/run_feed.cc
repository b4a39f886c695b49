#include "services/runs/run_feed.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <map>
#include <set>
#include <utility>

namespace assay::runs {
namespace {

namespace asio = boost::asio;

// Suspends one coroutine until Notify. A notification without a waiter is not
// kept: whoever waits looks first whether there is anything.
class Bell {
 public:
  explicit Bell(const asio::any_io_executor& strand)
      : timer_(strand, asio::steady_timer::time_point::max()) {}

  // False when the waiting coroutine was cancelled.
  asio::awaitable<bool> Wait() {
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    const auto state = co_await asio::this_coro::cancellation_state;
    co_return state.cancelled() == asio::cancellation_type::none;
  }
  void Notify() { timer_.cancel(); }

 private:
  asio::steady_timer timer_;
};

// What waits for one watcher of a run.
struct RunMailbox {
  explicit RunMailbox(const asio::any_io_executor& strand) : bell(strand) {}

  Bell bell;
  RunFeed::Watcher watcher = RunFeed::Watcher::kHere;
  std::deque<SharedEvent> events;
  bool gap = false;
  bool closed = false;
};

// What waits for one watcher of all runs.
struct ListMailbox {
  explicit ListMailbox(const asio::any_io_executor& strand) : bell(strand) {}

  Bell bell;
  std::set<RunId> changed;
  bool missed = false;
  // Something that is no run.
  bool touched = false;
  bool closed = false;
};

// A watcher of one attempt.
struct AttemptMailbox {
  explicit AttemptMailbox(const asio::any_io_executor& strand) : bell(strand) {}

  Bell bell;
  bool changed = false;
  bool closed = false;
};

std::unexpected<Error> Closed() {
  return Fail(Code::kCancelled, "the server stops; watch again");
}

// Waits until `mailbox` has something, which `ready` knows. The mailbox is
// shared, so that it outlives a watch that is destroyed while it waits.
template <class Mailbox, class Ready>
asio::awaitable<Status> WaitFor(std::shared_ptr<Mailbox> mailbox, Ready ready) {
  while (!ready(*mailbox)) {
    if (mailbox->closed) co_return Closed();
    if (!co_await mailbox->bell.Wait())
      co_return Fail(Code::kCancelled, "the watcher has gone");
  }
  co_return Status();
}

class RunWatch final : public RunFeed::Watch {
 public:
  explicit RunWatch(std::shared_ptr<RunMailbox> mailbox)
      : mailbox_(std::move(mailbox)) {}

  Async<Batch> Next() override { return NextOf(mailbox_); }

 private:
  static Async<Batch> NextOf(std::shared_ptr<RunMailbox> mailbox) {
    ASSAY_CO_RETURN_IF_ERROR(co_await WaitFor(
        mailbox,
        [](const RunMailbox& box) { return box.gap || !box.events.empty(); }));
    Batch batch;
    batch.events.assign(mailbox->events.begin(), mailbox->events.end());
    batch.gap = std::exchange(mailbox->gap, false);
    mailbox->events.clear();
    co_return batch;
  }

  std::shared_ptr<RunMailbox> mailbox_;
};

class AllWatch final : public RunFeed::ListWatch {
 public:
  explicit AllWatch(std::shared_ptr<ListMailbox> mailbox)
      : mailbox_(std::move(mailbox)) {}

  Async<Changes> Next() override { return NextOf(mailbox_); }

 private:
  static Async<Changes> NextOf(std::shared_ptr<ListMailbox> mailbox) {
    ASSAY_CO_RETURN_IF_ERROR(
        co_await WaitFor(mailbox, [](const ListMailbox& box) {
          return box.missed || box.touched || !box.changed.empty();
        }));
    if (std::exchange(mailbox->missed, false))
      co_return Unavailable("something may have been missed; watch again");
    const std::set<RunId> changed = std::exchange(mailbox->changed, {});
    co_return Changes{.runs = {changed.begin(), changed.end()},
                      .others = std::exchange(mailbox->touched, false)};
  }

  std::shared_ptr<ListMailbox> mailbox_;
};

class OneAttemptWatch final : public RunFeed::AttemptWatch {
 public:
  explicit OneAttemptWatch(std::shared_ptr<AttemptMailbox> mailbox)
      : mailbox_(std::move(mailbox)) {}

  Async<void> Next() override { return NextOf(mailbox_); }

 private:
  static Async<void> NextOf(std::shared_ptr<AttemptMailbox> mailbox) {
    ASSAY_CO_RETURN_IF_ERROR(co_await WaitFor(
        mailbox, [](const AttemptMailbox& box) { return box.changed; }));
    mailbox->changed = false;
    co_return Status();
  }

  std::shared_ptr<AttemptMailbox> mailbox_;
};

// The mailboxes of `list` that are still watched.
template <class Mailbox>
std::vector<std::shared_ptr<Mailbox>> Alive(
    std::vector<std::weak_ptr<Mailbox>>& list) {
  std::vector<std::shared_ptr<Mailbox>> alive;
  std::erase_if(list, [&](const std::weak_ptr<Mailbox>& weak) {
    auto mailbox = weak.lock();
    if (!mailbox) return true;
    alive.push_back(std::move(mailbox));
    return false;
  });
  return alive;
}

}  // namespace

class RunFeed::State {
 public:
  State(asio::any_io_executor executor, Options limits)
      : strand(std::move(executor)), options(limits) {}

  void Deliver(RunMailbox& mailbox, const std::vector<SharedEvent>& events) {
    if (mailbox.events.size() + events.size() > options.max_waiting) {
      mailbox.events.clear();
      mailbox.gap = true;
    } else {
      mailbox.events.insert(mailbox.events.end(), events.begin(), events.end());
    }
    mailbox.bell.Notify();
  }

  const asio::any_io_executor strand;
  const Options options;
  void Share(const RunId& run, const std::vector<SharedEvent>& events);
  void ShareHeard(const RunId& run, const std::vector<SharedEvent>& events);
  void Mark(const RunId& run, bool queued);
  void Touch(const AttemptId& attempt);
  void TouchAll();
  void TouchLists();

  // Of one run: who watches it, and how far they were told.
  struct RunWatchers {
    std::vector<std::weak_ptr<RunMailbox>> mailboxes;
    std::int64_t told = 0;
  };
  std::map<RunId, RunWatchers> watchers;
  std::vector<std::weak_ptr<ListMailbox>> list_watchers;
  std::map<AttemptId, std::vector<std::weak_ptr<AttemptMailbox>>>
      attempt_watchers;
  std::vector<std::function<void()>> on_queued;
  Echo echo;
  std::function<void(const RunId&)> on_watched;
  bool closed = false;
};

RunFeed::RunFeed(asio::any_io_executor strand, Options options)
    : state_(std::make_shared<State>(std::move(strand), options)) {}
RunFeed::RunFeed(asio::any_io_executor strand)
    : RunFeed(std::move(strand), Options()) {}
RunFeed::~RunFeed() { Close(); }

void RunFeed::State::Share(const RunId& run,
                           const std::vector<SharedEvent>& events) {
  const auto it = watchers.find(run);
  if (it == watchers.end() || events.empty()) return;
  for (const auto& mailbox : Alive(it->second.mailboxes))
    Deliver(*mailbox, events);
  it->second.told = std::max(it->second.told, events.back()->sequence());
  if (it->second.mailboxes.empty()) watchers.erase(it);
}

void RunFeed::State::ShareHeard(const RunId& run,
                                const std::vector<SharedEvent>& events) {
  const auto it = watchers.find(run);
  if (it == watchers.end()) return;
  std::vector<SharedEvent> fresh;
  for (const SharedEvent& event : events)
    if (event->sequence() > it->second.told) fresh.push_back(event);
  if (fresh.empty()) return;
  it->second.told = fresh.back()->sequence();
  for (const auto& mailbox : Alive(it->second.mailboxes))
    if (mailbox->watcher == Watcher::kHere) Deliver(*mailbox, fresh);
}

void RunFeed::State::Mark(const RunId& run, bool queued) {
  for (const auto& mailbox : Alive(list_watchers)) {
    mailbox->changed.insert(run);
    mailbox->bell.Notify();
  }
  if (queued)
    for (const auto& callback : on_queued) callback();
}

void RunFeed::State::TouchLists() {
  for (const auto& mailbox : Alive(list_watchers)) {
    mailbox->touched = true;
    mailbox->bell.Notify();
  }
}

void RunFeed::State::Touch(const AttemptId& attempt) {
  TouchLists();
  const auto it = attempt_watchers.find(attempt);
  if (it == attempt_watchers.end()) return;
  for (const auto& mailbox : Alive(it->second)) {
    mailbox->changed = true;
    mailbox->bell.Notify();
  }
  if (it->second.empty()) attempt_watchers.erase(it);
}

void RunFeed::State::TouchAll() {
  TouchLists();
  for (auto& [attempt, list] : attempt_watchers) {
    for (const auto& mailbox : Alive(list)) {
      mailbox->changed = true;
      mailbox->bell.Notify();
    }
  }
}

void RunFeed::Publish(const RunId& run, std::vector<v1::RunEvent> events) {
  if (events.empty()) return;
  bool changed = false;
  bool queued = false;
  std::vector<SharedEvent> shared;
  for (v1::RunEvent& event : events) {
    changed = changed || event.has_state_changed();
    queued = queued || event.state_changed().state() == v1::Run::STATE_QUEUED;
    shared.push_back(std::make_shared<const v1::RunEvent>(std::move(event)));
  }
  state_->Share(run, shared);
  if (!changed) return;
  state_->Mark(run, queued);
  if (state_->echo.state_changed) state_->echo.state_changed(run, queued);
}

void RunFeed::OnPublished(Echo echo) { state_->echo = std::move(echo); }

void RunFeed::HearState(const RunId& run, bool queued) {
  const auto it = state_->watchers.find(run);
  if (it != state_->watchers.end()) {
    for (const auto& mailbox : Alive(it->second.mailboxes)) {
      if (mailbox->watcher != Watcher::kHere) continue;
      mailbox->gap = true;
      mailbox->bell.Notify();
    }
  }
  state_->Mark(run, queued);
}

void RunFeed::HearTouch(const AttemptId& attempt) { state_->Touch(attempt); }

void RunFeed::HearAnything() {
  state_->TouchAll();
  for (const auto& mailbox : Alive(state_->list_watchers)) {
    mailbox->missed = true;
    mailbox->bell.Notify();
  }
  for (const auto& callback : state_->on_queued) callback();
}

void RunFeed::HearEvents(const RunId& run,
                         const std::vector<SharedEvent>& events) {
  state_->ShareHeard(run, events);
}

void RunFeed::HearUpTo(const RunId& run, std::int64_t sequence) {
  const auto it = state_->watchers.find(run);
  if (it == state_->watchers.end() || it->second.told >= sequence) return;
  it->second.told = sequence;
  for (const auto& mailbox : Alive(it->second.mailboxes)) {
    if (mailbox->watcher != Watcher::kHere) continue;
    mailbox->gap = true;
    mailbox->bell.Notify();
  }
}

std::vector<RunId> RunFeed::WatchedRuns() const {
  std::vector<RunId> runs;
  for (auto& [run, entry] : state_->watchers)
    for (const auto& mailbox : Alive(entry.mailboxes)) {
      if (mailbox->watcher != Watcher::kHere) continue;
      runs.push_back(run);
      break;
    }
  return runs;
}

void RunFeed::OnWatched(std::function<void(const RunId& run)> callback) {
  state_->on_watched = std::move(callback);
}

std::unique_ptr<RunFeed::Watch> RunFeed::WatchRun(const RunId& run,
                                                  Watcher watcher) {
  auto mailbox = std::make_shared<RunMailbox>(state_->strand);
  mailbox->closed = state_->closed;
  mailbox->watcher = watcher;
  auto& watchers = state_->watchers[run].mailboxes;
  (void)Alive(watchers);
  watchers.push_back(mailbox);
  if (watcher == Watcher::kHere && state_->on_watched) state_->on_watched(run);
  return std::make_unique<RunWatch>(std::move(mailbox));
}

std::unique_ptr<RunFeed::ListWatch> RunFeed::WatchStates() {
  auto mailbox = std::make_shared<ListMailbox>(state_->strand);
  mailbox->closed = state_->closed;
  state_->list_watchers.push_back(mailbox);
  return std::make_unique<AllWatch>(std::move(mailbox));
}

std::unique_ptr<RunFeed::AttemptWatch> RunFeed::WatchAttempt(
    const AttemptId& attempt) {
  auto mailbox = std::make_shared<AttemptMailbox>(state_->strand);
  mailbox->closed = state_->closed;
  auto& watchers = state_->attempt_watchers[attempt];
  (void)Alive(watchers);
  watchers.push_back(mailbox);
  return std::make_unique<OneAttemptWatch>(std::move(mailbox));
}

void RunFeed::Touch(const AttemptId& attempt) {
  state_->Touch(attempt);
  if (state_->echo.touched) state_->echo.touched(attempt);
}

void RunFeed::TouchAll() {
  state_->TouchAll();
  if (state_->echo.all_touched) state_->echo.all_touched();
}

void RunFeed::TouchLists() {
  state_->TouchLists();
  // There is no word of its own for that among coordinators.
  if (state_->echo.all_touched) state_->echo.all_touched();
}

void RunFeed::OnQueued(std::function<void()> callback) {
  state_->on_queued.push_back(std::move(callback));
}

void RunFeed::Close() {
  state_->closed = true;
  for (auto& [run, watchers] : state_->watchers)
    for (const auto& mailbox : Alive(watchers.mailboxes)) {
      mailbox->closed = true;
      mailbox->bell.Notify();
    }
  for (const auto& mailbox : Alive(state_->list_watchers)) {
    mailbox->closed = true;
    mailbox->bell.Notify();
  }
  for (auto& [attempt, watchers] : state_->attempt_watchers)
    for (const auto& mailbox : Alive(watchers)) {
      mailbox->closed = true;
      mailbox->bell.Notify();
    }
}

std::size_t RunFeed::watch_count() const {
  std::size_t count = Alive(state_->list_watchers).size();
  for (auto& [run, watchers] : state_->watchers)
    count += Alive(watchers.mailboxes).size();
  for (auto& [attempt, watchers] : state_->attempt_watchers)
    count += Alive(watchers).size();
  return count;
}

}  // namespace assay::runs
