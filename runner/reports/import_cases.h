#ifndef ASSAY_RUNNER_REPORTS_IMPORT_CASES_H_
#define ASSAY_RUNNER_REPORTS_IMPORT_CASES_H_

#include <string>
#include <unordered_map>

#include "runner/reports/import.h"

namespace assay::reports {

// Gathers cases under the bounds of an import.
class CaseList {
 public:
  // Joins a case with an earlier one of the same name; an empty name never
  // joins.
  void Add(ImportedCase one);
  // Counts outcomes. `problem` stays the caller's.
  Imported Take();

 private:
  Imported imported_;
  std::unordered_map<std::string, std::size_t> by_name_;
  std::size_t dropped_ = 0;
};

}  // namespace assay::reports

#endif  // ASSAY_RUNNER_REPORTS_IMPORT_CASES_H_
