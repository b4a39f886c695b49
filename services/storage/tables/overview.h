#ifndef ASSAY_SERVICES_STORAGE_TABLES_OVERVIEW_H_
#define ASSAY_SERVICES_STORAGE_TABLES_OVERVIEW_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "assay/v1/assignment.pb.h"
#include "assay/v1/attempt.pb.h"
#include "assay/v1/check.pb.h"
#include "assay/v1/invitation.pb.h"
#include "assay/v1/overview_service.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/storage/page.h"
#include "services/storage/sql/connection.h"

namespace assay::storage {

// How far those have come who were invited to an assignment.
struct FunnelRow {
  AssignmentId assignment;
  std::int32_t version = 0;
  v1::AssignmentSpec spec;
  std::int32_t check_count = 0;
  double max_points = 0;
  std::int32_t invited = 0;
  std::int32_t accepted = 0;
  std::int32_t started = 0;
  std::int32_t submitted = 0;
  std::int32_t decided = 0;
};

struct WaitingRow {
  v1::GetHomeResponse::Waiting::Kind kind =
      v1::GetHomeResponse::Waiting::KIND_UNSPECIFIED;
  AssignmentId assignment;
  AttemptId attempt;
  RunId run;  // of an errored one
  Clock::TimePoint since;
};

struct WaitingRows {
  std::vector<WaitingRow> longest;
  std::int32_t count = 0;
};

// One person who was invited.
struct CandidateRow {
  InvitationId invitation;
  v1::Invitation::State invitation_state = v1::Invitation::STATE_UNSPECIFIED;
  Clock::TimePoint invite_time;
  Clock::TimePoint expire_time;
  std::string name;
  std::string email;
  double accommodation = 1;
  std::int32_t assignment_version = 0;
  // From here on empty until accepted.
  AttemptId attempt;
  v1::Attempt::State attempt_state = v1::Attempt::STATE_UNSPECIFIED;
  std::optional<Clock::TimePoint> start_time;
  std::optional<Clock::TimePoint> deadline;
  bool paused = false;
  std::int32_t pushes = 0;
  std::int32_t submissions = 0;
  std::optional<Clock::TimePoint> submit_time;
  RunId latest_run;
  RunId final_run;
  v1::Run::Outcome outcome = v1::Run::OUTCOME_UNSPECIFIED;
  std::optional<v1::Score> score;
  v1::Decision::Outcome decision = v1::Decision::OUTCOME_UNSPECIFIED;
  std::optional<Clock::TimePoint> decide_time;
};

// The last scored final run of one attempt, with its verdicts.
struct ScoredRow {
  RunId run;
  Clock::TimePoint queue_time;
  v1::Score score;
  std::vector<v1::CheckResult> results;
};

struct WaitRow {
  Clock::TimePoint submit_time;
  // Absent while nobody has decided.
  std::optional<Clock::TimePoint> decide_time;
};

// Questions about many attempts at once, each answered by one query over
// several tables.
class Overview {
 public:
  explicit Overview(sql::Connection& connection) : connection_(connection) {}

  // Newest assignment first, at most 500.
  Expected<std::vector<FunnelRow>> Funnels();
  // What waits for a person, longest first.
  Expected<WaitingRows> Waiting(std::int32_t limit);
  // How long the latest finished runs took.
  Expected<std::vector<std::chrono::microseconds>> RunDurations(
      std::int32_t limit);
  // Newest invitation first.
  Expected<PageOf<CandidateRow>> Candidates(const AssignmentId& assignment,
                                            const Page& page);
  // Newest run first; `version` 0: of any.
  Expected<PageOf<ScoredRow>> Scored(const AssignmentId& assignment,
                                     std::int32_t version, const Page& page);
  // Submitted attempts.
  Expected<std::vector<WaitRow>> Waits(const AssignmentId& assignment,
                                       std::int32_t version);

 private:
  sql::Connection& connection_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_OVERVIEW_H_
