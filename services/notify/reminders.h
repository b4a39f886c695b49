#ifndef ASSAY_SERVICES_NOTIFY_REMINDERS_H_
#define ASSAY_SERVICES_NOTIFY_REMINDERS_H_

#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "services/storage/transaction.h"

namespace assay::notify {

// Puts a reminder into the outbox for each running attempt whose author wants
// one at this time before the deadline, once. Of several that are due, as
// after a downtime, the last one is sent. A deadline that moves reminds anew.
// Answers with how many there were.
Expected<int> RemindDue(storage::Transaction& tx, Clock::TimePoint now);

}  // namespace assay::notify

#endif  // ASSAY_SERVICES_NOTIFY_REMINDERS_H_
