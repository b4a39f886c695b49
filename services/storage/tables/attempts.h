#ifndef ASSAY_SERVICES_STORAGE_TABLES_ATTEMPTS_H_
#define ASSAY_SERVICES_STORAGE_TABLES_ATTEMPTS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "assay/v1/attempt.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/storage/page.h"
#include "services/storage/sql/connection.h"

namespace assay::storage {

// An attempt's clock as it is kept; services/attempts/clock.h has the rules.
struct ClockRecord {
  std::optional<Clock::TimePoint> start_time;
  std::chrono::microseconds duration{0};
  double accommodation = 1.0;
  std::chrono::microseconds paused{0};  // ended pauses
  std::chrono::microseconds extended{0};
  std::chrono::microseconds grace{0};
  std::optional<Clock::TimePoint> hard_close_time;
  std::optional<Clock::TimePoint> pause_time;  // while paused
  // Materialised; absent before the start and while paused.
  std::optional<Clock::TimePoint> deadline;
  std::optional<Clock::TimePoint> cut_off_time;
  std::int32_t version = 0;

  bool operator==(const ClockRecord&) const = default;
};

// Why a clock changed.
struct ClockEventRecord {
  std::int32_t version = 0;  // of the clock after it
  Clock::TimePoint time;
  std::string kind;  // "start", "extend", "pause", "resume", "reopen", "credit"
  std::chrono::microseconds amount{0};
  std::string actor;
  std::string reason;
};

struct AttemptRecord {
  AttemptId id;
  InvitationId invitation;
  AssignmentId assignment;
  std::int32_t assignment_version = 0;
  v1::Attempt::State state = v1::Attempt::STATE_ACCEPTED;
  std::string candidate_name;
  std::string candidate_email;
  // Empty until started.
  RepositoryId repository;
  ClockRecord clock;
  Clock::TimePoint create_time;
  // Once the candidate's data was erased.
  std::optional<Clock::TimePoint> erase_time;
  // Of the author's solution: started, with no deadline, and nobody's try.
  bool reference = false;
};

struct AttemptCounts {
  std::int32_t pushes = 0;  // accepted
  std::int32_t submissions = 0;
  RunId latest_run;
};

class AttemptTable {
 public:
  explicit AttemptTable(sql::Connection& connection)
      : connection_(connection) {}

  Status Create(const AttemptRecord& record);
  Expected<AttemptRecord> Get(const AttemptId& id);
  // kNotFound when no attempt owns `repository`.
  Expected<AttemptRecord> GetByRepository(const RepositoryId& repository);
  // The one of the author's solution, if there is one.
  Expected<std::optional<AttemptRecord>> FindReference(
      const AssignmentId& assignment);
  // Those of candidates, newest first. Empty assignment: of all.
  Expected<PageOf<AttemptRecord>> List(const AssignmentId& assignment,
                                       const Page& page);
  Expected<AttemptCounts> Count(const AttemptId& id);

  // ACCEPTED -> STARTED, on `assignment_version`. kAborted in any other state.
  Status MarkStarted(const AttemptId& id, const RepositoryId& repository,
                     std::int32_t assignment_version);
  // STARTED -> SUBMITTED, if `clock_version` is still current: an extension
  // that was committed before wins. kAborted otherwise.
  Status MarkSubmitted(const AttemptId& id, std::int32_t clock_version);
  // SUBMITTED -> STARTED, after a retroactive extension.
  Status MarkReopened(const AttemptId& id);

  // Stores `clock`, whose version is the stored one + 1 (else kAborted), with
  // the event that made it so.
  Status ChangeClock(const AttemptId& id, const ClockRecord& clock,
                     const ClockEventRecord& event);
  Expected<std::vector<ClockEventRecord>> ListClockEvents(const AttemptId& id);

  // Candidates' attempts whose clock may have run between the two times.
  Expected<std::vector<AttemptRecord>> ListActiveDuring(
      const AssignmentId& assignment, Clock::TimePoint from,
      Clock::TimePoint to);
  // Takes the candidate's name, address and repository away.
  Status Erase(const AttemptId& id, Clock::TimePoint now);

  // Started attempts whose cut-off is at or before `now`, earliest first,
  // but for those whose repository is at another node than `node` that was
  // heard of since `heard_since`: what is on its way there, it knows itself.
  Expected<std::vector<AttemptRecord>> ListPastCutOff(
      Clock::TimePoint now, std::int32_t limit, const std::string& node = "",
      Clock::TimePoint heard_since = Clock::TimePoint::max());
  // Running attempts whose deadline is after `now` and at or before `until`.
  Expected<std::vector<AttemptRecord>> ListDeadlines(Clock::TimePoint now,
                                                     Clock::TimePoint until);
  // Running attempts of candidates of `assignment`.
  Expected<std::vector<AttemptRecord>> ListRunning(
      const AssignmentId& assignment);
  // Puts a running attempt on another version of its assignment.
  Status MoveTo(const AttemptId& id, std::int32_t assignment_version);
  // The earliest cut-off after `now` of a started attempt.
  Expected<std::optional<Clock::TimePoint>> NextCutOff(Clock::TimePoint now);

 private:
  sql::Connection& connection_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_ATTEMPTS_H_
