#include "proto/base/fault_point.h"

#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

namespace assay {
namespace {

std::atomic<int> comings_left{0};
std::atomic<bool> only_stops{false};
constexpr std::string_view kStop = ":stop";

}  // namespace

void internal::ComeToArmedFaultPoint() {
  if (comings_left.fetch_sub(1) != 1) return;
  if (only_stops) {
    ::raise(SIGSTOP);
    return;
  }
  // Not kill(2), which assay-run has given up by then.
  ::raise(SIGKILL);
  // The signal may take this thread a moment to hear of.
  for (;;) ::pause();
}

Status ArmFaultPoint() {
  const char* variable = std::getenv("ASSAY_FAULT");
  if (variable == nullptr) return {};
  std::string_view text(variable);
  only_stops = text.ends_with(kStop);
  if (only_stops) text.remove_suffix(kStop.size());
  const auto lasting = std::ranges::find(kLastingFaults, text);
  if (lasting != std::end(kLastingFaults)) {
    internal::lasting_fault =
        static_cast<int>(lasting - std::begin(kLastingFaults));
    return {};
  }
  const std::size_t colon = text.find(':');
  const auto point = std::ranges::find(kFaultPoints, text.substr(0, colon));
  int comings = 0;
  if (colon != std::string_view::npos)
    std::from_chars(text.data() + colon + 1, text.data() + text.size(),
                    comings);
  if (point == std::end(kFaultPoints) || comings < 1)
    return InvalidArgument("ASSAY_FAULT is \"", text,
                           "\"; expected a fault point and how often it is "
                           "reached, as in push.intent:1");
  comings_left = comings;
  internal::armed_fault_point =
      static_cast<int>(point - std::begin(kFaultPoints));
  return {};
}

}  // namespace assay
