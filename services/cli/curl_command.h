#ifndef ASSAY_SERVICES_CLI_CURL_COMMAND_H_
#define ASSAY_SERVICES_CLI_CURL_COMMAND_H_

#include <string>

#include "assay/otlp/v1/trace.pb.h"

namespace assay::cli {

// A request of a trace as a command for bash that repeats it; empty for a span
// that is no request. "$SERVICE" is where the service runs for whoever repeats
// it; credentials, which the record leaves out, are variables of their
// header's name, and "$BODY_FILE" is a body of which only the beginning is
// recorded. The dashboard's model/curl.ts says the same; one table of cases
// holds both (tests/services/cli/curl_cases.json).
std::string CurlCommand(const otlp::v1::Span& span);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_CURL_COMMAND_H_
