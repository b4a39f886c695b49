#include "runner/reports/run_words.h"

#include <cmath>
#include <cstdio>

#include "runner/suite/utf8.h"

namespace assay::reports {

std::string VerdictText(v1::Verdict verdict) {
  switch (verdict) {
    case v1::VERDICT_PASSED:
      return "passed";
    case v1::VERDICT_FAILED:
      return "failed";
    case v1::VERDICT_TIMED_OUT:
      return "timed out";
    case v1::VERDICT_SKIPPED:
      return "skipped";
    case v1::VERDICT_INCONCLUSIVE:
      return "inconclusive";
    case v1::VERDICT_ERRORED:
      return "errored";
    default:
      return "not run";
  }
}

std::string VerdictWord(v1::Verdict verdict) {
  std::string word = VerdictText(verdict);
  for (char& c : word) {
    if (c == ' ') c = '_';
  }
  return word;
}

std::string OutcomeText(v1::Run::Outcome outcome) {
  switch (outcome) {
    case v1::Run::OUTCOME_COMPLETED:
      return "completed";
    case v1::Run::OUTCOME_BUILD_FAILED:
      return "build failed";
    case v1::Run::OUTCOME_NEVER_READY:
      return "never ready";
    case v1::Run::OUTCOME_SERVICE_CRASHED:
      return "service crashed";
    case v1::Run::OUTCOME_OUT_OF_MEMORY:
      return "out of memory";
    case v1::Run::OUTCOME_TIMED_OUT:
      return "timed out";
    case v1::Run::OUTCOME_ERRORED:
      return "errored";
    case v1::Run::OUTCOME_CANCELLED:
      return "cancelled";
    default:
      return "not finished";
  }
}

double Seconds(const google::protobuf::Duration& duration) {
  return static_cast<double>(duration.seconds()) +
         static_cast<double>(duration.nanos()) / 1e9;
}

std::string PointsText(double points) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.10g", std::round(points * 100) / 100);
  return buffer;
}

std::string EscapeMarkup(std::string_view text) {
  std::string escaped;
  for (std::size_t i = 0; i < text.size();) {
    const char32_t c = suite::NextCodePoint(text, i);
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        // XML 1.0's Char, without what editors and terminals act on.
        const bool control = (c < 0x20 && c != '\t' && c != '\n') ||
                             (c >= 0x7F && c < 0xA0) || c == 0xFFFE ||
                             c == 0xFFFF;
        suite::AppendUtf8(escaped, control ? 0xFFFD : c);
    }
  }
  return escaped;
}

}  // namespace assay::reports
