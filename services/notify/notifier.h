#ifndef ASSAY_SERVICES_NOTIFY_NOTIFIER_H_
#define ASSAY_SERVICES_NOTIFY_NOTIFIER_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>

#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "services/notify/courier.h"

namespace assay::storage {
class Store;
}

namespace assay::notify {

struct NotifierOptions {
  Ways ways;
  // How often the outbox and the reminders are looked at.
  std::chrono::milliseconds interval{5'000};
  // After this many tries a message is given up and shown as failed.
  int most_tries = 8;
  // For how long a message that is being sent is nobody else's: where several
  // send from one outbox. Zero: nobody else does.
  std::chrono::milliseconds claim{0};
};

// Sends what is in the outbox, one message after the other, and tries again
// later what failed: after 1, 2, 4, ... minutes. At least once: a crash
// between sending and noting it sends again, with the same Message-ID.
//
// Ownership: borrows store and clock, which must outlive it.
// Threads: confined to `strand`; a thread of its own waits for servers.
class Notifier {
 public:
  Notifier(boost::asio::any_io_executor strand, storage::Store& store,
           const Clock& clock, NotifierOptions options);
  ~Notifier();

  void Start();
  void Stop();
  // Looks at once: a message was put into the outbox.
  void Wake();
  // One look: reminders that are due, then what waits. Answers with how many
  // messages were sent.
  boost::asio::awaitable<Expected<int>> Sweep();

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace assay::notify

#endif  // ASSAY_SERVICES_NOTIFY_NOTIFIER_H_
