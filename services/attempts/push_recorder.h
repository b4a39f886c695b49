#ifndef ASSAY_SERVICES_ATTEMPTS_PUSH_RECORDER_H_
#define ASSAY_SERVICES_ATTEMPTS_PUSH_RECORDER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/rpc/method_registry.h"
#include "services/runs/run_feed.h"
#include "services/runs/run_observer.h"
#include "services/storage/store.h"

namespace assay::attempts {

using rpc::Async;

// The branch that is graded and handed in. Others are kept, and not graded.
inline constexpr std::string_view kGradedRef = "refs/heads/main";

// A ref update that a candidate asks for.
struct PushIntent {
  RepositoryId repository;
  std::string ref;
  // 40 hex digits; zeros or empty: the ref is new (old), or deleted (new).
  std::string old_commit;
  std::string new_commit;
  // The clock when the last byte of the push request had been read.
  Clock::TimePoint receive_time;
  // False when the update rewrites history.
  bool fast_forward = true;
  // Of the tip, for display; may be set later by Describe.
  std::string subject;
  std::optional<Clock::TimePoint> commit_time;
};

struct RecordedIntent {
  PushId push;
  // Not empty: refused, the ref must not move, and this is what to tell the
  // candidate.
  std::string refusal;
  bool late = false;
};

struct ConfirmedPush {
  PushId push;
  // Empty when the push is not graded; `notice` then says why.
  RunId run;
  std::int32_t queue_position = 0;
  std::string notice;
};

// Records pushes around the moment at which a ref moves, so that neither a
// crash nor a deadline in between loses one: intent, then the ref, then the
// confirmation. What is open at a start is settled by the reconciler: the ref
// is where the intent wanted it (Confirm) or it is not (Refuse).
//
// Receive time decides whether a push is late, not when it was processed.
//
// Ownership: borrows all that it is made of.
// Threads: confined to the coordinator's strand.
class PushRecorder {
 public:
  // `node`: what this coordinator is called among those that share the store.
  // It records pushes to the repositories whose home it is (else kAborted),
  // which the store checks with each write.
  PushRecorder(storage::Store& store, runs::RunFeed& feed, const Clock& clock,
               std::string node = {});

  // Null: nobody. Must outlive this.
  void Observe(runs::RunObserver* observer) { observer_ = observer; }

  // A push request that was read but not recorded yet. The deadline of its
  // repository waits for it, so that indexing makes nobody late. Ends with
  // the object, at the latest after the request was answered.
  class Arrival {
   public:
    Arrival(PushRecorder& recorder, RepositoryId repository,
            Clock::TimePoint receive_time);
    ~Arrival();
    Arrival(const Arrival&) = delete;
    Arrival& operator=(const Arrival&) = delete;

   private:
    PushRecorder& recorder_;
    RepositoryId repository_;
    Clock::TimePoint receive_time_;
  };
  std::unique_ptr<Arrival> Arrive(RepositoryId repository,
                                  Clock::TimePoint receive_time);
  // Whether a push is on its way that was received at or before `time`.
  bool HasArrivals(const RepositoryId& repository, Clock::TimePoint time) const;

  const std::string& node() const { return node_; }

  // Decides by the attempt's clock and policies; a refusal is an answer, not
  // an Error. Durable when it returns.
  Async<RecordedIntent> RecordPushIntent(PushIntent intent);
  // The ref has moved: marks the push accepted and queues its run, in one
  // transaction. Answers a repeat in the same way, at any node.
  // kFailedPrecondition: it was refused meanwhile. kAborted: the repository's
  // home is another node, which has yet to decide.
  Async<ConfirmedPush> ConfirmPush(PushId push);
  // The ref has not moved and will not. Accepts a repeat.
  Async<void> RefusePush(PushId push, std::string reason);
  // What the commit says about itself, which is read after the push counts.
  Async<void> DescribePush(PushId push, std::string subject,
                           Clock::TimePoint commit_time);

  // Intents without an end in the repositories of this node, oldest first.
  Async<std::vector<storage::PushRecord>> ListOpenIntents();
  // A ref was found at a commit that no push explains (a crash between disk
  // and store): records and confirms one, received at `time`.
  Async<ConfirmedPush> RecordFoundTip(RepositoryId repository, std::string ref,
                                      std::string commit,
                                      Clock::TimePoint time);
  // The last accepted tip of each ref, by ref: what the reconciler compares.
  Async<std::map<std::string, std::string>> AcceptedTips(
      RepositoryId repository);

 private:
  storage::Store& store_;
  runs::RunFeed& feed_;
  const Clock& clock_;
  const std::string node_;
  runs::RunObserver* observer_ = nullptr;
  std::map<RepositoryId, std::multiset<Clock::TimePoint>> arrivals_;
};

}  // namespace assay::attempts

#endif  // ASSAY_SERVICES_ATTEMPTS_PUSH_RECORDER_H_
