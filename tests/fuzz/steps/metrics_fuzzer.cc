// A service's /metrics: a sum is of series that are there, and labels leave no
// more of them than without.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "runner/steps/metrics_step.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using assay::steps::SumOfExposition;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto all = SumOfExposition(text, "a", {});
  const auto some = SumOfExposition(text, "a", {{"b", "c"}});
  if (some.series > all.series || all.series < 0) abort();
  if (all.series == 0 && all.value != 0) abort();
  return 0;
}
