#include "services/notify/outbox.h"

namespace assay::notify {

Status Tell(storage::Transaction& tx, const Message& message,
            Clock::TimePoint now) {
  return tx.notifications.Create({.id = NotificationId::Random(),
                                  .topic = message.topic,
                                  .recipient = message.recipient,
                                  .subject = message.subject,
                                  .body = message.body,
                                  .attempt = message.attempt,
                                  .create_time = now,
                                  .next_try_time = now});
}

}  // namespace assay::notify
