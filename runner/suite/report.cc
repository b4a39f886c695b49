#include "runner/suite/report.h"

#include <algorithm>
#include <map>
#include <utility>

namespace assay::suite {
namespace {

// A file of nothing but mistakes need not be remembered whole.
constexpr std::size_t kMaxKept = 5000;

Diagnostics Take(Diagnostics& from) {
  Diagnostics all = std::exchange(from, {});
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  // Sorted by file, so that one full of mistakes does not hide another's.
  std::map<std::string, std::size_t> of_file;
  std::erase_if(all, [&](const Diagnostic& one) {
    return ++of_file[one.file] > kMaxDiagnostics;
  });
  for (auto last = all.rbegin(); last != all.rend(); ++last) {
    const std::size_t found = std::exchange(of_file[last->file], 0);
    if (found <= kMaxDiagnostics) continue;
    last->message += "; " + std::to_string(found - kMaxDiagnostics) +
                     " more in this file are not shown";
  }
  return all;
}

}  // namespace

void Report::Error(const Place& at, std::string message) {
  if (errors_.size() >= kMaxKept) return;
  errors_.push_back({at.file, at.line, at.column, std::move(message)});
}

void Report::Warn(const Place& at, std::string message) {
  if (warnings_.size() >= kMaxKept) return;
  warnings_.push_back({at.file, at.line, at.column, std::move(message), true});
}

Diagnostics Report::TakeErrors() { return Take(errors_); }
Diagnostics Report::TakeWarnings() { return Take(warnings_); }

}  // namespace assay::suite
