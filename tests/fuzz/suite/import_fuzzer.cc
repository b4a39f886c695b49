// Reports come out of candidates' cells: the first byte picks the format.

#include <cstdint>
#include <cstdlib>

#include "runner/reports/import.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0) return 0;
  static constexpr const char* kFormats[] = {"junit", "tap", "ctrf", "gotest"};
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto imported =
      assay::reports::Import(kFormats[data[0] % 4], {{"report", text}});
  if (!imported) return 0;
  if (imported->cases.size() > assay::reports::kMaxCases) std::abort();
  for (const auto& one : imported->cases) {
    if (one.name.empty() || one.message.size() > assay::reports::kMaxMessage) {
      std::abort();
    }
  }
  return 0;
}
