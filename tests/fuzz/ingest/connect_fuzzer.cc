// Calls as browsers and scripts send them: the frame, the timeout and the JSON
// of a request. What is read is printed and read again as the same.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "assay/v1/run.pb.h"
#include "services/gateway/connect_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace assay::gateway;  // NOLINT
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto timeout = ConnectTimeout(bytes); timeout && *timeout) {
    if ((*timeout)->count() < 0) abort();
  }
  const auto framed = ConnectRequestFrame(bytes);
  assay::v1::Run run;
  if (!ParseJson(framed ? *framed : bytes, run)) return 0;
  const auto printed = PrintJson(run);
  // A date that JSON cannot say.
  if (!printed) return 0;
  assay::v1::Run again;
  if (!ParseJson(*printed, again)) abort();
  const auto once = PrintJson(again);
  if (!once || *once != *printed) abort();
  return 0;
}
