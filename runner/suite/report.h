#ifndef ASSAY_RUNNER_SUITE_REPORT_H_
#define ASSAY_RUNNER_SUITE_REPORT_H_

#include <string>

#include "runner/suite/diagnostic.h"

namespace assay::suite {

// Gathers the mistakes of one compilation.
class Report {
 public:
  void Error(const Place& at, std::string message);
  void Warn(const Place& at, std::string message);

  bool ok() const { return errors_.empty(); }
  // Sorted by place, without repetitions, at most kMaxDiagnostics of a
  // file.
  Diagnostics TakeErrors();
  Diagnostics TakeWarnings();

  // For parsers that add their own.
  Diagnostics& errors() { return errors_; }

 private:
  Diagnostics errors_;
  Diagnostics warnings_;
};

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_REPORT_H_
