#ifndef ASSAY_SERVICES_TELEMETRY_SPAN_EXPORTER_H_
#define ASSAY_SERVICES_TELEMETRY_SPAN_EXPORTER_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "assay/otlp/v1/trace.pb.h"
#include "services/telemetry/otlp_settings.h"

namespace assay::telemetry {

// Sends spans to a collector in batches, from a thread of its own. A collector
// that is slow or away costs nothing but the spans that do not fit the queue,
// which are counted.
//
// Threads: any.
class SpanExporter {
 public:
  struct Counts {
    std::uint64_t exported = 0;
    // The queue was full, or the collector would not take them.
    std::uint64_t dropped = 0;
    std::uint64_t waiting = 0;
  };

  explicit SpanExporter(OtlpSettings settings);
  // Gives what waits one more second.
  ~SpanExporter();
  SpanExporter(const SpanExporter&) = delete;

  // Returns at once.
  void Offer(otlp::v1::Span span);
  Counts counts() const;

 private:
  void Work();
  // Whether they were taken. Tries a few times.
  bool Deliver(const std::vector<otlp::v1::Span>& spans);
  std::string Encode(const std::vector<otlp::v1::Span>& spans) const;

  const OtlpSettings settings_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<otlp::v1::Span> queue_;  // guarded by mutex_
  Counts counts_;                     // guarded by mutex_
  bool ending_ = false;               // guarded by mutex_
  // Whether the last delivery failed, which is said once.
  bool failing_ = false;
  std::atomic<bool> stop_ = false;
  bool idle_ = false;  // guarded by mutex_: nothing waits, nothing is sent
  std::thread thread_;
};

}  // namespace assay::telemetry

#endif  // ASSAY_SERVICES_TELEMETRY_SPAN_EXPORTER_H_
