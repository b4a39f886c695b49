#include "services/nodes/note_exchange.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <cstdint>
#include <exception>
#include <string_view>
#include <utility>

#include "proto/base/fault_point.h"
#include "services/storage/bulletin.h"

namespace assay::nodes {
namespace {

namespace asio = boost::asio;
using storage::Transaction;

// The first letter says what a note is about, the rest which.
constexpr char kRun = 'r';
constexpr char kQueuedRun = 'q';
constexpr char kAttempt = 'a';
constexpr char kAllAttempts = 'A';
constexpr char kWorker = 'w';
constexpr char kClock = 'c';
constexpr char kMessage = 'm';
constexpr char kNode = 'n';
constexpr char kSubmitted = 's';
constexpr char kErased = 'e';

using Positions = std::vector<std::pair<RunId, std::int64_t>>;

}  // namespace

struct NoteExchange::State : std::enable_shared_from_this<State> {
  State(asio::any_io_executor on, storage::Store& base, runs::RunFeed& runs,
        NoteParts given)
      : strand(std::move(on)),
        store(base),
        feed(runs),
        parts(std::move(given)) {}

  void Hear(const std::vector<std::string>& notes);
  void HearOne(const std::string& note);
  static asio::awaitable<void> Look(std::shared_ptr<State> self,
                                    std::vector<RunId> watched);

  const asio::any_io_executor strand;
  storage::Store& store;
  runs::RunFeed& feed;
  const NoteParts parts;
  bool looking = false;
  bool stopped = false;
};

void NoteExchange::State::Hear(const std::vector<std::string>& notes) {
  if (stopped) return;
  if (notes.empty()) {
    feed.HearAnything();
    parts.clock_changed();
    parts.message_waits();
    return;
  }
  for (const std::string& note : notes) HearOne(note);
}

void NoteExchange::State::HearOne(const std::string& note) {
  const std::string what = note.substr(1);
  switch (note.front()) {
    case kRun:
    case kQueuedRun:
      feed.HearState(RunId(what), note.front() == kQueuedRun);
      return parts.run_changed(RunId(what));
    case kAttempt:
      return feed.HearTouch(AttemptId(what));
    case kAllAttempts:
      return feed.HearAnything();
    case kWorker:
      return parts.worker_changed(what);
    case kClock:
      return parts.clock_changed();
    case kMessage:
      return parts.message_waits();
    case kNode:
      return parts.node_changed();
    case kSubmitted:
      return parts.submitted(RepositoryId(what));
    case kErased:
      return parts.erased(RepositoryId(what));
    default:
      // Of a newer version; its sweep is the guarantee.
      return;
  }
}

asio::awaitable<void> NoteExchange::State::Look(std::shared_ptr<State> self,
                                                std::vector<RunId> watched) {
  const auto found = co_await self->store.Read(
      [watched = std::move(watched)](Transaction& tx) -> Expected<Positions> {
        Positions positions;
        for (const RunId& id : watched)
          if (const auto run = tx.runs.Get(id))
            positions.emplace_back(id, run->next_sequence - 1);
        return positions;
      });
  self->looking = false;
  if (!found || self->stopped) co_return;
  for (const auto& [run, sequence] : *found) self->feed.HearUpTo(run, sequence);
}

NoteExchange::NoteExchange(asio::any_io_executor strand, storage::Store& store,
                           runs::RunFeed& feed, NoteParts parts)
    : state_(std::make_shared<State>(std::move(strand), store, feed,
                                     std::move(parts))) {}

NoteExchange::~NoteExchange() { Stop(); }

void NoteExchange::Start() {
  storage::Bulletin* bulletin = state_->store.bulletin();
  if (bulletin == nullptr) return;
  bulletin->Listen([weak = std::weak_ptr(state_),
                    strand = state_->strand](std::vector<std::string> notes) {
    asio::post(strand, [weak, notes = std::move(notes)] {
      if (const auto state = weak.lock()) state->Hear(notes);
    });
  });
  state_->feed.OnPublished(
      {.state_changed =
           [this](const RunId& run, bool queued) {
             Post((queued ? kQueuedRun : kRun) + run.str());
           },
       .touched =
           [this](const AttemptId& attempt) { Post(kAttempt + attempt.str()); },
       .all_touched = [this] { Post({kAllAttempts}); }});
}

void NoteExchange::Stop() {
  state_->stopped = true;
  state_->feed.OnPublished({});
  if (storage::Bulletin* bulletin = state_->store.bulletin())
    bulletin->Listen(nullptr);
}

void NoteExchange::Post(std::string note) {
  if (state_->stopped || !state_->parts.has_others()) return;
  state_->store.bulletin()->Post(std::move(note));
}

void NoteExchange::TellWorkerChanged(const std::string& name) {
  Post(kWorker + name);
}
void NoteExchange::TellClockChanged() { Post({kClock}); }
void NoteExchange::TellMessageWaits() { Post({kMessage}); }
void NoteExchange::TellNodeChanged() { Post({kNode}); }

void NoteExchange::TellSubmitted(const RepositoryId& repository) {
  Post(kSubmitted + repository.str());
}
void NoteExchange::TellErased(const RepositoryId& repository) {
  Post(kErased + repository.str());
}

void NoteExchange::Sweep() {
  if (state_->looking || state_->stopped || HasFault("sweeps.off")) return;
  std::vector<RunId> watched = state_->feed.WatchedRuns();
  if (watched.empty()) return;
  state_->looking = true;
  asio::co_spawn(state_->strand, State::Look(state_, std::move(watched)),
                 [](std::exception_ptr error) {
                   if (error) std::rethrow_exception(error);
                 });
}

}  // namespace assay::nodes
