#ifndef ASSAY_SERVICES_STORAGE_TABLES_QUESTIONS_H_
#define ASSAY_SERVICES_STORAGE_TABLES_QUESTIONS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/storage/page.h"
#include "services/storage/sql/connection.h"

namespace assay::storage {

struct QuestionRecord {
  QuestionId id;
  AttemptId attempt;
  AssignmentId assignment;
  std::string text;
  Clock::TimePoint ask_time;
  std::string answer;
  std::optional<Clock::TimePoint> answer_time;
  bool shared = false;
  bool paused = false;
};

// Which questions are wanted; empty ids match all.
struct QuestionFilter {
  AttemptId attempt;
  AssignmentId assignment;
  // Also the shared ones of other attempts of `assignment`.
  bool with_shared = false;
};

class QuestionTable {
 public:
  explicit QuestionTable(sql::Connection& connection)
      : connection_(connection) {}

  Status Create(const QuestionRecord& record);
  Expected<QuestionRecord> Get(const QuestionId& id);
  // Oldest first.
  Expected<PageOf<QuestionRecord>> List(const QuestionFilter& filter,
                                        const Page& page);
  Expected<std::int32_t> CountWaiting(const AttemptId& attempt);
  // kFailedPrecondition: it has an answer.
  Status Answer(const QuestionId& id, const std::string& answer, bool shared,
                Clock::TimePoint now);
  Status SetPaused(const QuestionId& id, bool paused);
  // Removes an attempt's questions; shared ones lose their text only.
  Status Erase(const AttemptId& attempt);

 private:
  sql::Connection& connection_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_QUESTIONS_H_
