#ifndef ASSAY_SERVICES_NOTIFY_OUTBOX_H_
#define ASSAY_SERVICES_NOTIFY_OUTBOX_H_

#include <string>

#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/storage/transaction.h"

namespace assay::notify {

// Something that somebody outside is to be told.
struct Message {
  // One word, which programs tell messages apart by: "reminder".
  std::string topic;
  // A candidate's mail address; empty: those who run the installation.
  std::string recipient;
  std::string subject;
  std::string body;
  AttemptId attempt;  // may be empty
};

// Puts a message into the outbox, in the transaction of what it tells about.
// The notifier decides on the way and sends it; without a way it is kept.
Status Tell(storage::Transaction& tx, const Message& message,
            Clock::TimePoint now);

}  // namespace assay::notify

#endif  // ASSAY_SERVICES_NOTIFY_OUTBOX_H_
