#ifndef ASSAY_RUNNER_TELEMETRY_REDACTING_SINK_H_
#define ASSAY_RUNNER_TELEMETRY_REDACTING_SINK_H_

#include <map>
#include <string>

#include "runner/telemetry/event_sink.h"
#include "runner/telemetry/redactor.h"

namespace assay::telemetry {

// The one place where secrets are taken out: every text of every event passes
// here, whatever made it, and leaves as UTF-8. Log offsets are those of the
// redacted stream.
//
// Ownership: borrows the redactor and the next sink.
class RedactingSink final : public EventSink {
 public:
  RedactingSink(const Redactor& redactor, EventSink& next);
  void Emit(assay::v1::RunEvent event) override;

 private:
  void EmitLog(assay::v1::RunEvent event);

  struct LogStream {
    explicit LogStream(const Redactor& redactor) : pieces(redactor) {}
    Redactor::Stream pieces;
    std::int64_t offset = 0;
    bool hidden = false;
  };

  const Redactor& redactor_;
  EventSink& next_;
  std::map<std::string, LogStream, std::less<>> logs_;
};

}  // namespace assay::telemetry

#endif  // ASSAY_RUNNER_TELEMETRY_REDACTING_SINK_H_
