#include "runner/telemetry/trace_context.h"

#include <time.h>

#include <random>

#include "proto/base/digest.h"

namespace assay::telemetry {

std::optional<TraceContext> ParseTraceparent(std::string_view header) {
  // 00-<32 hex>-<16 hex>-<2 hex>; later versions may append fields.
  if (header.size() < 55 || header[2] != '-' || header[35] != '-' ||
      header[52] != '-' || header.substr(0, 2) == "ff") {
    return std::nullopt;
  }
  TraceContext context{FromHex(header.substr(3, 32)),
                       FromHex(header.substr(36, 16))};
  const auto present = [](const std::string& id) {
    return id.find_first_not_of('\0') != std::string::npos;
  };
  if (!present(context.trace_id) || !present(context.span_id)) {
    return std::nullopt;
  }
  return context;
}

std::string FormatTraceparent(const TraceContext& context) {
  return "00-" + ToHex(context.trace_id) + "-" + ToHex(context.span_id) + "-01";
}

std::string RandomBytes(std::size_t bytes) {
  // One generator seeded from the kernel: ids need to be distinct, not secret,
  // and a run makes thousands of them after it has given up its system calls.
  static std::mt19937_64 generator = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  std::string out;
  while (out.size() < bytes) {
    std::uint64_t word = generator();
    for (int i = 0; i < 8 && out.size() < bytes; ++i, word >>= 8) {
      out += static_cast<char>(word & 0xff);
    }
  }
  if (out.find_first_not_of('\0') == std::string::npos)
    return RandomBytes(bytes);
  return out;
}

std::uint64_t NowNanos() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace assay::telemetry
