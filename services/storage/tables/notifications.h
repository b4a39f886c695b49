#ifndef ASSAY_SERVICES_STORAGE_TABLES_NOTIFICATIONS_H_
#define ASSAY_SERVICES_STORAGE_TABLES_NOTIFICATIONS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "assay/v1/notification.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/storage/page.h"
#include "services/storage/sql/connection.h"

namespace assay::storage {

// A message to somebody outside, from before it is sent.
struct NotificationRecord {
  NotificationId id;
  std::string topic;
  // Unspecified until the notifier has decided on the way.
  v1::Notification::Channel channel = v1::Notification::CHANNEL_UNSPECIFIED;
  v1::Notification::State state = v1::Notification::STATE_WAITING;
  std::string recipient;
  std::string subject;
  std::string body;
  AttemptId attempt;  // may be empty
  Clock::TimePoint create_time;
  std::optional<Clock::TimePoint> send_time;
  std::int32_t tries = 0;
  Clock::TimePoint next_try_time;
  std::string problem;
};

// The outbox: written in the transaction of what it tells about, so that
// neither is ever without the other.
class NotificationTable {
 public:
  explicit NotificationTable(sql::Connection& connection)
      : connection_(connection) {}

  Status Create(const NotificationRecord& record);
  Expected<NotificationRecord> Get(const NotificationId& id);
  // Newest first.
  Expected<PageOf<NotificationRecord>> List(const Page& page);
  // Waiting ones whose next try is due, oldest first.
  Expected<std::vector<NotificationRecord>> ListDue(Clock::TimePoint now,
                                                    std::int32_t limit);
  // Stores what became of a try: channel, state, recipient, body, times,
  // tries and problem.
  Status Update(const NotificationRecord& record);
  // Takes addresses and texts of one attempt away.
  Status Erase(const AttemptId& attempt);

  // True when this reminder was not noted before: `before` a deadline.
  Expected<bool> NoteReminder(const AttemptId& attempt,
                              Clock::TimePoint deadline,
                              std::chrono::microseconds before);

 private:
  sql::Connection& connection_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_NOTIFICATIONS_H_
