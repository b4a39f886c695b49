#include "services/runs/run_reader.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "services/runs/run_proto.h"
#include "services/runs/visibility.h"

namespace assay::runs {
namespace {

using storage::RunRecord;
using storage::Transaction;

// At most so many events are read at once, and about so many bytes: each
// watcher that is behind holds that much, and there may be a thousand.
constexpr std::int32_t kEventsAtOnce = 200;
constexpr std::size_t kBytesAtOnce = std::size_t{128} << 10;
constexpr std::int32_t kFirstEventsAtOnce = 16;

// A run as one transaction saw it.
struct Sight {
  RunRecord run;
  std::vector<v1::CheckResult> results;
  std::int32_t queue_position = 0;
  Progress progress;
};

Expected<Sight> See(Transaction& tx, RunRecord run) {
  Sight sight;
  ASSAY_ASSIGN_OR_RETURN(sight.results,
                         tx.run_events.ListResults(run.id, run.epoch));
  if (run.state == v1::Run::STATE_QUEUED) {
    ASSAY_ASSIGN_OR_RETURN(sight.queue_position, tx.queue.Position(run));
  }
  ASSAY_ASSIGN_OR_RETURN(const storage::AttemptRecord attempt,
                         tx.attempts.Get(run.attempt));
  sight.progress.submitted = attempt.state == v1::Attempt::STATE_SUBMITTED;
  ASSAY_ASSIGN_OR_RETURN(sight.progress.decided,
                         tx.decisions.IsDecided(run.attempt));
  sight.run = std::move(run);
  return sight;
}

// Somebody else's run is not there for a candidate.
bool MaySee(const rpc::Caller& caller, const RunRecord& run) {
  return caller.role != v1::ROLE_CANDIDATE || caller.attempt == run.attempt;
}

bool IsLast(const v1::RunEvent& event) {
  return event.state_changed().state() == v1::Run::STATE_FINISHED ||
         event.state_changed().state() == v1::Run::STATE_SUPERSEDED;
}

bool IsOver(const RunRecord& run) {
  return run.state == v1::Run::STATE_FINISHED ||
         run.state == v1::Run::STATE_SUPERSEDED;
}

// Nothing for whoever may see everything.
Async<std::optional<Visibility>> VisibilityOf(PlanCache& plans,
                                              const rpc::Caller& caller,
                                              const Sight& sight) {
  if (caller.role != v1::ROLE_CANDIDATE) co_return std::nullopt;
  ASSAY_CO_ASSIGN_OR_RETURN(const SharedPlan plan,
                            co_await plans.Get(sight.run.plan_digest));
  co_return Visibility(*plan, sight.progress);
}

v1::Run Show(const Sight& sight, const std::optional<Visibility>& visibility) {
  v1::Run run = ToProto(sight.run, sight.results, sight.queue_position);
  return visibility ? visibility->Redact(std::move(run)) : run;
}

using Detail = RunReader::Detail;

// Events of a run from the store, and how far they go.
struct Stretch {
  std::vector<v1::RunEvent> events;
  // Nothing at or below this is left to read.
  std::int64_t read_to = 0;
  bool full = false;
  // How many to ask for next.
  std::int32_t next_limit = kFirstEventsAtOnce;
};

// So that events like these come to about kBytesAtOnce.
std::int32_t LimitFor(const std::vector<v1::RunEvent>& events) {
  std::size_t bytes = 1;
  for (const v1::RunEvent& event : events) bytes += event.ByteSizeLong();
  return static_cast<std::int32_t>(
      std::clamp<std::size_t>(events.size() * kBytesAtOnce / bytes, 1,
                              static_cast<std::size_t>(kEventsAtOnce)));
}

Expected<Stretch> ReadStretch(Transaction& tx, const RunId& id,
                              std::int64_t after, Detail detail,
                              std::int32_t limit) {
  ASSAY_ASSIGN_OR_RETURN(const RunRecord run, tx.runs.Get(id));
  Stretch stretch;
  ASSAY_ASSIGN_OR_RETURN(
      stretch.events,
      tx.run_events.List(id, after, limit, detail == Detail::kResults));
  stretch.full = std::ssize(stretch.events) == limit;
  // Where logs are left out the last event may lie far behind.
  stretch.read_to =
      stretch.full ? stretch.events.back().sequence() : run.next_sequence - 1;
  if (stretch.full) stretch.next_limit = LimitFor(stretch.events);
  return stretch;
}

// One watcher's way through a run. Lives in the frame of RunReader::Watch.
class Follower {
 public:
  Follower(std::optional<Visibility> visibility, Detail detail,
           RunReader::Write write)
      : visibility_(std::move(visibility)),
        detail_(detail),
        write_(std::move(write)) {}

  std::int64_t position() const { return position_; }
  void set_position(std::int64_t position) { position_ = position; }
  // The last event was written.
  bool done() const { return done_; }

  Async<void> Write(v1::RunEvent event) {
    position_ = event.sequence();
    done_ = IsLast(event);
    if (detail_ != Detail::kAll && event.has_spans()) co_return Status();
    if (detail_ == Detail::kResults && event.has_log()) co_return Status();
    if (visibility_) {
      auto redacted = visibility_->Redact(std::move(event));
      if (!redacted) co_return Status();
      event = *std::move(redacted);
    }
    v1::WatchRunResponse response;
    *response.mutable_event() = std::move(event);
    co_return co_await write_(std::move(response));
  }

  Async<void> WriteAll(Stretch stretch) {
    for (v1::RunEvent& event : stretch.events) {
      ASSAY_CO_RETURN_IF_ERROR(co_await Write(std::move(event)));
      if (done_) co_return Status();
    }
    position_ = stretch.read_to;
    co_return Status();
  }

 private:
  const std::optional<Visibility> visibility_;
  const Detail detail_;
  const RunReader::Write write_;
  std::int64_t position_ = 0;
  bool done_ = false;
};

}  // namespace

RunReader::RunReader(storage::Store& store, PlanCache& plans, RunFeed& feed)
    : store_(store), plans_(plans), feed_(feed) {}

Async<v1::Run> RunReader::Get(rpc::Caller caller, RunId id) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const Sight sight,
      co_await store_.Read([caller, id](Transaction& tx) -> Expected<Sight> {
        ASSAY_ASSIGN_OR_RETURN(RunRecord run, tx.runs.Get(id));
        if (!MaySee(caller, run)) return NotFound("there is no run ", id);
        return See(tx, std::move(run));
      }));
  ASSAY_CO_ASSIGN_OR_RETURN(const std::optional<Visibility> visibility,
                            co_await VisibilityOf(plans_, caller, sight));
  co_return Show(sight, visibility);
}

Async<storage::PageOf<v1::Run>> RunReader::List(rpc::Caller caller,
                                                storage::RunFilter filter,
                                                storage::Page page) {
  if (caller.role == v1::ROLE_CANDIDATE) {
    if (!filter.attempt.empty() && filter.attempt != caller.attempt)
      co_return NotFound("there is no attempt ", filter.attempt);
    filter.attempt = caller.attempt;
  }
  using Sights = storage::PageOf<Sight>;
  ASSAY_CO_ASSIGN_OR_RETURN(
      const Sights sights,
      co_await store_.Read([filter, page](Transaction& tx) -> Expected<Sights> {
        ASSAY_ASSIGN_OR_RETURN(auto runs, tx.runs.List(filter, page));
        Sights seen;
        seen.next_token = runs.next_token;
        for (RunRecord& run : runs.items) {
          ASSAY_ASSIGN_OR_RETURN(Sight sight, See(tx, std::move(run)));
          seen.items.push_back(std::move(sight));
        }
        return seen;
      }));
  storage::PageOf<v1::Run> answer;
  answer.next_token = sights.next_token;
  for (const Sight& sight : sights.items) {
    ASSAY_CO_ASSIGN_OR_RETURN(const std::optional<Visibility> visibility,
                              co_await VisibilityOf(plans_, caller, sight));
    answer.items.push_back(Show(sight, visibility));
  }
  co_return answer;
}

Async<void> RunReader::Watch(rpc::Caller caller, RunId id, WatchOptions options,
                             Write write) {
  // Before the first reading, so that what happens after it is heard.
  const std::unique_ptr<RunFeed::Watch> watch = feed_.WatchRun(id);
  ASSAY_CO_ASSIGN_OR_RETURN(
      const Sight sight,
      co_await store_.Read([caller, id](Transaction& tx) -> Expected<Sight> {
        ASSAY_ASSIGN_OR_RETURN(RunRecord run, tx.runs.Get(id));
        if (!MaySee(caller, run)) return NotFound("there is no run ", id);
        return See(tx, std::move(run));
      }));
  ASSAY_CO_ASSIGN_OR_RETURN(std::optional<Visibility> visibility,
                            co_await VisibilityOf(plans_, caller, sight));
  const std::int64_t now_at = sight.run.next_sequence - 1;
  if (options.after_sequence == 0) {
    v1::WatchRunResponse snapshot;
    *snapshot.mutable_snapshot() = Show(sight, visibility);
    snapshot.set_snapshot_sequence(now_at);
    ASSAY_CO_RETURN_IF_ERROR(co_await write(std::move(snapshot)));
    if (IsOver(sight.run)) co_return Status();
    options.after_sequence = now_at;
  } else if (IsOver(sight.run) && options.after_sequence >= now_at) {
    co_return Status();
  }

  Follower follower(std::move(visibility), options.detail, std::move(write));
  // -1: from the first one on.
  follower.set_position(std::max<std::int64_t>(0, options.after_sequence));
  bool behind = follower.position() < now_at;
  std::int32_t limit = kFirstEventsAtOnce;
  while (!follower.done()) {
    while (behind && !follower.done()) {
      const std::int64_t before = follower.position();
      ASSAY_CO_ASSIGN_OR_RETURN(
          Stretch stretch,
          co_await store_.Read(
              [id, before, detail = options.detail, limit](Transaction& tx) {
                return ReadStretch(tx, id, before, detail, limit);
              }));
      behind = stretch.full;
      limit = stretch.next_limit;
      ASSAY_CO_RETURN_IF_ERROR(co_await follower.WriteAll(std::move(stretch)));
    }
    if (follower.done()) break;
    ASSAY_CO_ASSIGN_OR_RETURN(const RunFeed::Watch::Batch batch,
                              co_await watch->Next());
    behind = batch.gap;
    for (const SharedEvent& event : batch.events) {
      if (behind || follower.done()) break;
      if (event->sequence() <= follower.position()) continue;
      behind = event->sequence() != follower.position() + 1;
      if (!behind) ASSAY_CO_RETURN_IF_ERROR(co_await follower.Write(*event));
    }
  }
  co_return Status();
}

}  // namespace assay::runs
