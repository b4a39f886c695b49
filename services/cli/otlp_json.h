#ifndef ASSAY_SERVICES_CLI_OTLP_JSON_H_
#define ASSAY_SERVICES_CLI_OTLP_JSON_H_

#include <cstddef>
#include <string>
#include <vector>

#include "assay/v1/trace_service.pb.h"

namespace assay::cli {

// OpenTelemetry's JSON encoding of a trace, which is not Protobuf's: ids are
// hex, enums are numbers, 64-bit integers are strings. Jaeger opens such a
// file; every collector takes one at /v1/traces.
std::string OtlpJson(const v1::GetTraceResponse& trace);

// The same in pieces of at most `most` spans, each a whole export by itself: a
// line of a JSONL file, or one POST to a collector.
std::vector<std::string> OtlpJsonPieces(const v1::GetTraceResponse& trace,
                                        std::size_t most);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_OTLP_JSON_H_
