#ifndef ASSAY_RUNNER_WORKER_EVENT_PARSER_H_
#define ASSAY_RUNNER_WORKER_EVENT_PARSER_H_

#include <string>
#include <string_view>
#include <vector>

#include "assay/v1/run.pb.h"
#include "proto/base/error.h"

namespace assay::worker {

// Takes the stream of length-delimited events apart that assay-run writes.
//
// assay-run parses what candidates send, so it is not trusted either: messages
// are bounded, and what only the coordinator may say is refused.
class EventParser {
 public:
  // Below gRPC's limit for the message that carries it on.
  static constexpr std::size_t kMaxEventBytes = std::size_t{3} << 20;

  // The events that `bytes` complete. kDataLoss ends the stream.
  Expected<std::vector<v1::RunEvent>> Feed(std::string_view bytes);
  // Nothing is left of a message that began.
  bool Complete() const { return buffer_.empty(); }

 private:
  std::string buffer_;
};

// `event` as assay-run would write it.
std::string SerializeDelimited(const v1::RunEvent& event);

}  // namespace assay::worker

#endif  // ASSAY_RUNNER_WORKER_EVENT_PARSER_H_
