// The list of reports that comes out of a command's cell, and the reports in
// it.

#include <cstdint>
#include <string_view>

#include "runner/reports/import.h"
#include "runner/run/collected_reports.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const auto files =
      assay::run::ReadCollected({reinterpret_cast<const char*>(data), size});
  if (!files) return 0;
  for (const char* format : {"junit", "tap", "ctrf", "gotest"}) {
    (void)assay::reports::Import(format, *files);
  }
  return 0;
}
