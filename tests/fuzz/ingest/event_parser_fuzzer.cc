// What assay-run, which reads candidates' bytes, tells the worker: in one piece
// and byte by byte it is the same, and no message is over the limit.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "runner/worker/event_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using assay::worker::EventParser;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  EventParser whole;
  const auto together = whole.Feed(bytes);
  EventParser pieces;
  std::string told;
  bool good = true;
  for (const char c : bytes) {
    const auto events = pieces.Feed({&c, 1});
    good = events.has_value();
    if (!good) break;
    for (const auto& event : *events) {
      told += assay::worker::SerializeDelimited(event);
    }
  }
  if (together.has_value() != good) abort();
  if (!together) return 0;
  std::string at_once;
  for (const auto& event : *together) {
    if (event.ByteSizeLong() > EventParser::kMaxEventBytes) abort();
    at_once += assay::worker::SerializeDelimited(event);
  }
  if (at_once != told || whole.Complete() != pieces.Complete()) abort();
  return 0;
}
