#include "services/telemetry/otlp_settings.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

namespace assay::telemetry {
namespace {

constexpr std::size_t kMostSpans = 100'000;

std::string FirstOf(const Environment& environment,
                    std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (std::string value = environment(name); !value.empty()) return value;
  return "";
}

std::string Decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(&text[i + 1], &text[i + 3], byte, 16).ptr ==
            &text[i + 3]) {
      decoded += static_cast<char>(byte);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

std::string Trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return "";
  return std::string(
      text.substr(begin, text.find_last_not_of(" \t") - begin + 1));
}

// "k=v,k2=v2", as OpenTelemetry writes lists.
Status ReadPairs(const char* variable, const std::string& text,
                 std::map<std::string, std::string>& pairs) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    if (Trimmed(pair).empty()) continue;
    const auto equals = pair.find('=');
    const std::string key = Trimmed(pair.substr(0, equals));
    if (equals == std::string_view::npos || key.empty())
      return InvalidArgument(variable, " has \"", pair,
                             "\": expected name=value,name=value");
    std::string value = Decoded(Trimmed(pair.substr(equals + 1)));
    if (value.find_first_of("\r\n") != std::string::npos)
      return InvalidArgument(variable, ": the value of ", key,
                             " may have no line break");
    pairs[key] = std::move(value);
  }
  return {};
}

Expected<std::int64_t> ReadNumber(const Environment& environment,
                                  std::initializer_list<const char*> names,
                                  std::int64_t otherwise) {
  const std::string text = FirstOf(environment, names);
  if (text.empty()) return otherwise;
  std::int64_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 1)
    return InvalidArgument(*names.begin(), " is \"", text,
                           "\": expected a whole number above 0");
  return value;
}

Status ReadLimits(const Environment& environment, OtlpSettings& settings) {
  using std::chrono::milliseconds;
  ASSAY_ASSIGN_OR_RETURN(const auto timeout,
                         ReadNumber(environment,
                                    {"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
                                     "OTEL_EXPORTER_OTLP_TIMEOUT"},
                                    settings.timeout.count()));
  ASSAY_ASSIGN_OR_RETURN(const auto delay,
                         ReadNumber(environment, {"OTEL_BSP_SCHEDULE_DELAY"},
                                    settings.delay.count()));
  ASSAY_ASSIGN_OR_RETURN(
      const auto queue,
      ReadNumber(environment, {"OTEL_BSP_MAX_QUEUE_SIZE"},
                 static_cast<std::int64_t>(settings.max_queue)));
  ASSAY_ASSIGN_OR_RETURN(
      const auto batch,
      ReadNumber(environment, {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE"},
                 static_cast<std::int64_t>(settings.max_batch)));
  settings.timeout = milliseconds(timeout);
  settings.delay = milliseconds(delay);
  settings.max_queue = std::min(kMostSpans, static_cast<std::size_t>(queue));
  settings.max_batch =
      std::min(settings.max_queue, static_cast<std::size_t>(batch));
  return {};
}

struct Address {
  std::string scheme, rest;
};

Expected<Address> Split(const std::string& endpoint) {
  const auto colon = endpoint.find("://");
  Address address;
  if (colon != std::string::npos)
    address = {endpoint.substr(0, colon), endpoint.substr(colon + 3)};
  while (address.rest.ends_with('/')) address.rest.pop_back();
  constexpr std::string_view kSchemes[] = {"http", "https", "grpc", "grpcs"};
  if (std::ranges::find(kSchemes, address.scheme) == std::end(kSchemes) ||
      address.rest.empty() || address.rest.starts_with('/') ||
      address.rest.find_first_of(" \t\r\n@") != std::string::npos)
    return InvalidArgument("\"", endpoint,
                           "\" is no OTLP endpoint: expected "
                           "http://host:4318 or grpc://host:4317");
  return address;
}

}  // namespace

Expected<std::optional<OtlpSettings>> ReadOtlpSettings(
    const std::string& endpoint, const Environment& environment) {
  const std::string for_traces =
      environment("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
  const std::string named =
      endpoint.empty()
          ? FirstOf(environment, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                                  "OTEL_EXPORTER_OTLP_ENDPOINT"})
          : endpoint;
  if (named.empty() || environment("OTEL_SDK_DISABLED") == "true" ||
      environment("OTEL_TRACES_EXPORTER") == "none")
    return std::nullopt;
  ASSAY_ASSIGN_OR_RETURN(const Address address, Split(named));
  OtlpSettings settings;
  settings.tls = address.scheme == "https" || address.scheme == "grpcs";
  std::string protocol = FirstOf(
      environment,
      {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"});
  // The option's own scheme says it.
  if (!endpoint.empty() || address.scheme.starts_with("grpc"))
    protocol = address.scheme.starts_with("grpc") ? "grpc" : "http/protobuf";
  if (protocol != "grpc" && protocol != "http/protobuf" && !protocol.empty())
    return InvalidArgument("OTEL_EXPORTER_OTLP_PROTOCOL is \"", protocol,
                           "\": expected http/protobuf or grpc");
  if (protocol == "grpc") {
    settings.protocol = OtlpSettings::Protocol::kGrpc;
    settings.target = address.rest.substr(0, address.rest.find('/'));
  } else {
    // The general endpoint is a base; the one for traces is the whole URL.
    const bool whole = (endpoint.empty() && !for_traces.empty()) ||
                       address.rest.ends_with("/v1/traces");
    settings.target = (settings.tls ? "https://" : "http://") + address.rest +
                      (whole ? "" : "/v1/traces");
  }
  settings.ca_file =
      FirstOf(environment, {"OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
                            "OTEL_EXPORTER_OTLP_CERTIFICATE"});
  for (const char* name :
       {"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"})
    ASSAY_RETURN_IF_ERROR(ReadPairs(name, environment(name), settings.headers));
  settings.resource["service.name"] = "assay";
  ASSAY_RETURN_IF_ERROR(ReadPairs("OTEL_RESOURCE_ATTRIBUTES",
                                  environment("OTEL_RESOURCE_ATTRIBUTES"),
                                  settings.resource));
  if (std::string name = environment("OTEL_SERVICE_NAME"); !name.empty())
    settings.resource["service.name"] = std::move(name);
  ASSAY_RETURN_IF_ERROR(ReadLimits(environment, settings));
  return settings;
}

}  // namespace assay::telemetry
