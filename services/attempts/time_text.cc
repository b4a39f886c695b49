#include "services/attempts/time_text.h"

#include <cstdio>

namespace assay::attempts {

std::string TimeText(Clock::TimePoint time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(floor<milliseconds>(time - day));
  char text[64];
  std::snprintf(
      text, sizeof(text), "%04d-%02u-%02u %02ld:%02ld:%02ld.%03ld UTC",
      static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
      static_cast<unsigned>(date.day()),
      static_cast<long>(clock.hours().count()),
      static_cast<long>(clock.minutes().count()),
      static_cast<long>(clock.seconds().count()),
      static_cast<long>(clock.subseconds().count()));
  return text;
}

}  // namespace assay::attempts
