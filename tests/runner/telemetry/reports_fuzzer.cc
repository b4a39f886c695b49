// Exports of any bytes, in every format: bounded, and nothing of them can pass
// for what a wire saw.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "runner/telemetry/reports.h"

namespace {

using namespace assay::telemetry;  // NOLINT(google-build-using-namespace)

struct Sink final : EventSink {
  void Emit(assay::v1::RunEvent event) override {
    for (const auto& span : event.spans().spans()) {
      int sources = 0;
      for (const auto& pair : span.attributes()) {
        if (pair.key() != "assay.source") continue;
        ++sources;
        if (pair.value().string_value() != "reported") std::abort();
      }
      if (sources != 1 || span.trace_id() != std::string(16, 't')) std::abort();
      if (span.ByteSizeLong() > (1 << 20)) std::abort();
    }
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0) return 0;
  const int choice = data[0];
  const std::string_view body(reinterpret_cast<const char*>(data + 1),
                              size - 1);
  Sink sink;
  Tracer tracer(sink, std::string(16, 't'));
  Reports reports(tracer, {.spans = 100, .text_bytes = 10'000});
  std::string problem;
  reports.Take(static_cast<OtlpSignal>(choice % 3), "service", body,
               choice & 4 ? OtlpFormat::kJson : OtlpFormat::kProtobuf,
               (choice & 8) != 0, problem);
  tracer.Flush();
  reports.Find("x", {{"a", "b"}});
  return 0;
}
