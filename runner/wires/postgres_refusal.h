#ifndef ASSAY_RUNNER_WIRES_POSTGRES_REFUSAL_H_
#define ASSAY_RUNNER_WIRES_POSTGRES_REFUSAL_H_

#include <string>
#include <string_view>
#include <vector>

#include "runner/wires/postgres_messages.h"

namespace assay::wires {

// Answers a client's statements with an error in the server's place: the fault
// `error` of a PostgreSQL wire. Begins and ends between messages, when the
// server owes nothing, so that it never learns of it.
class PostgresRefusal {
 public:
  struct Answer {
    // Passed on to the server: a goodbye.
    std::string on;
    // Back to the client.
    std::string back;
    // What was refused.
    std::vector<std::string> statements;
  };

  // `transaction` is the connection's state as the server knows it.
  Answer OnClient(std::string_view bytes, const std::string& code,
                  char transaction);
  // Nothing is half said.
  bool idle() const { return !skipping_ && !inside_; }

 private:
  MessageCutter cutter_{Speaker::kClient};
  // Up to the next Sync, as a server would after an error.
  bool skipping_ = false;
  // The bytes so far end inside a message.
  bool inside_ = false;
};

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_POSTGRES_REFUSAL_H_
