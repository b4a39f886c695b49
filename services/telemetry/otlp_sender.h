#ifndef ASSAY_SERVICES_TELEMETRY_OTLP_SENDER_H_
#define ASSAY_SERVICES_TELEMETRY_OTLP_SENDER_H_

#include <atomic>
#include <memory>
#include <string>

#include "services/telemetry/otlp_settings.h"

namespace assay::telemetry {

// Hands exports to a collector, one at a time.
//
// Threads: one. Send blocks within the timeout of the settings, and returns
// soon once `stop` is set.
// Errors: kUnavailable where another attempt may go better, else
// kFailedPrecondition.
class OtlpSender {
 public:
  virtual ~OtlpSender() = default;
  // `body`: a serialised TraceExport.
  virtual Status Send(const std::string& body) = 0;
};

// Borrows both.
std::unique_ptr<OtlpSender> MakeOtlpSender(const OtlpSettings& settings,
                                           const std::atomic<bool>& stop);

}  // namespace assay::telemetry

#endif  // ASSAY_SERVICES_TELEMETRY_OTLP_SENDER_H_
