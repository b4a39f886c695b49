#ifndef ASSAY_RUNNER_TELEMETRY_OTLP_DECODE_H_
#define ASSAY_RUNNER_TELEMETRY_OTLP_DECODE_H_

#include <google/protobuf/message.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "proto/base/error.h"

namespace assay::telemetry {

// Bytes of an export, decompressed, that are looked at.
inline constexpr std::size_t kExportBytes = 8 << 20;
// Levels of nested values in one.
inline constexpr int kExportDepth = 32;

enum class OtlpFormat { kProtobuf, kJson };

// Reads an export as a service sent it.
// INVALID_ARGUMENT: it is not what it says, too deep or too large.
Status DecodeExport(std::string_view body, OtlpFormat format, bool gzip,
                    google::protobuf::Message& out);

// RFC 1952. INVALID_ARGUMENT: malformed, or more than `limit` bytes.
Expected<std::string> Gunzip(std::string_view bytes, std::size_t limit);

}  // namespace assay::telemetry

#endif  // ASSAY_RUNNER_TELEMETRY_OTLP_DECODE_H_
