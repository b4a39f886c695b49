#ifndef ASSAY_SERVICES_TELEMETRY_OTLP_SETTINGS_H_
#define ASSAY_SERVICES_TELEMETRY_OTLP_SETTINGS_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "proto/base/error.h"

namespace assay::telemetry {

// Where our spans go, and how many wait for that.
struct OtlpSettings {
  enum class Protocol { kHttp, kGrpc };
  Protocol protocol = Protocol::kHttp;
  // HTTP: the whole URL. gRPC: HOST:PORT.
  std::string target;
  bool tls = false;
  // Certificates (PEM) that vouch for the collector; empty: the system's.
  std::string ca_file;
  std::map<std::string, std::string> headers;
  // Of the resource, `service.name` among them.
  std::map<std::string, std::string> resource;
  std::chrono::milliseconds timeout{10'000};
  // Spans wait so long for others to go with.
  std::chrono::milliseconds delay{1'000};
  std::chrono::milliseconds first_pause{1'000};
  std::size_t max_queue = 2'048;
  std::size_t max_batch = 512;
};

// Reads an environment variable; empty where there is none.
using Environment = std::function<std::string(const char* name)>;

// `endpoint` is the option: http(s)://HOST:PORT or grpc(s)://HOST:PORT; empty:
// what OTEL_EXPORTER_OTLP_* say. Nothing where neither names a collector, or
// OTEL_SDK_DISABLED or OTEL_TRACES_EXPORTER=none turn it off.
//
// Errors: kInvalidArgument, with what was expected.
Expected<std::optional<OtlpSettings>> ReadOtlpSettings(
    const std::string& endpoint, const Environment& environment);

}  // namespace assay::telemetry

#endif  // ASSAY_SERVICES_TELEMETRY_OTLP_SETTINGS_H_
