#ifndef ASSAY_RUNNER_WORKER_OUTBOX_H_
#define ASSAY_RUNNER_WORKER_OUTBOX_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "assay/runner/v1/lease_service.pb.h"
#include "assay/v1/run.pb.h"

namespace assay::worker {

// The events of one run that the coordinator has not yet made durable: what is
// sent, sent again after a reconnect, and dropped when acknowledged.
//
// Threads: confined to one.
class Outbox {
 public:
  Outbox(std::string run, std::uint64_t epoch);

  void Add(std::vector<v1::RunEvent> events);
  // The next report to send; none while enough is on its way or nothing waits.
  std::optional<runner::v1::AttachRequest::Report> Next();
  // Events below `next_offset` are durable. When the coordinator expects less
  // than was sent, sends from there again.
  void Acknowledge(std::int64_t next_offset);
  // The stream is new: everything that is not durable is sent again.
  void Rewind();
  // At each heartbeat: where nothing was acknowledged for several of them, the
  // stream stands but a report or its answer is gone, and with no report behind
  // it nobody else would notice. What is not durable is sent again.
  void Beat();

  // Something is not sent yet.
  bool Waits() const { return unsent_bytes_ > 0; }
  // What is not sent yet is not to wait for more: the last word, or a lot.
  bool Urgent() const { return ended_ || unsent_bytes_ > kUrgentBytes; }
  // Everything that was added is durable, and it ended with `finished`.
  bool Done() const;
  // So much waits that its producer should, too.
  bool Full() const { return bytes_ > kFullBytes; }

 private:
  // A run's output is bounded by its plan; this holds most of them whole, so
  // that a short absence of the coordinator disturbs no measurement.
  static constexpr std::size_t kFullBytes = std::size_t{32} << 20;
  static constexpr std::size_t kReportBytes = std::size_t{1} << 20;
  static constexpr std::size_t kUrgentBytes = std::size_t{64} << 10;
  static constexpr int kReportsOnTheWay = 4;
  // More than a store may take that starts again.
  static constexpr int kPatientBeats = 5;

  struct Item {
    v1::RunEvent event;
    std::size_t bytes = 0;
  };

  const std::string run_;
  const std::uint64_t epoch_;
  std::deque<Item> items_;
  std::int64_t first_ = 1;  // offset of items_.front()
  std::int64_t next_ = 1;   // to be sent next
  std::size_t bytes_ = 0;
  std::size_t unsent_bytes_ = 0;         // of those from next_ on
  std::deque<std::int64_t> on_the_way_;  // ends of the reports in flight
  int silent_beats_ = 0;                 // since something was acknowledged
  bool ended_ = false;
};

}  // namespace assay::worker

#endif  // ASSAY_RUNNER_WORKER_OUTBOX_H_
