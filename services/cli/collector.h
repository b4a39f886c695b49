#ifndef ASSAY_SERVICES_CLI_COLLECTOR_H_
#define ASSAY_SERVICES_CLI_COLLECTOR_H_

#include <string>

#include "proto/base/error.h"

namespace assay::cli {

// POSTs one OTLP export in JSON to a collector: Jaeger, Tempo, OpenTelemetry's
// own. `url` is its OTLP/HTTP address, "http://127.0.0.1:4318"; `/v1/traces` is
// added unless it ends so. Proxies of the environment are used but for
// loopback.
//
// Errors: UNAVAILABLE: nobody answered; FAILED_PRECONDITION: it refused, with
// what it said.
Status SendToCollector(const std::string& url, const std::string& json);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_COLLECTOR_H_
