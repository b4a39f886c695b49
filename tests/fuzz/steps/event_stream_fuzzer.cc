// Server-sent events: the same bytes in one piece and byte by byte tell the
// same, and no event is over the limit.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "runner/steps/event_stream.h"

namespace {

constexpr std::size_t kLimit = 256;

std::string Tell(assay::steps::EventStream& stream) {
  std::string told;
  while (const auto event = stream.Take()) {
    if (event->data.size() > kLimit) abort();
    told += event->name + "|" + event->data + "\n";
  }
  return told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  assay::steps::EventStream whole(kLimit);
  assay::steps::EventStream pieces(kLimit);
  const bool good = whole.Feed(bytes);
  bool still = true;
  for (const char c : bytes) still = pieces.Feed({&c, 1});
  if (Tell(whole) != Tell(pieces)) abort();
  if (!bytes.empty() && good != still) abort();
  return 0;
}
