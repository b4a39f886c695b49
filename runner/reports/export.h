#ifndef ASSAY_RUNNER_REPORTS_EXPORT_H_
#define ASSAY_RUNNER_REPORTS_EXPORT_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "assay/otlp/v1/trace.pb.h"
#include "assay/v1/run.pb.h"

// Writes a finished run for other tools and for people. What the reader may not
// see has to be gone already: nothing is hidden or redacted here.
namespace assay::reports {

// A part of a run, as its events told.
struct Phase {
  std::string name;
  bool ok = true;
  std::string reason;
  double seconds = 0;
};

struct RunReport {
  // Name of the suite or the assignment.
  std::string title;
  v1::Run run;
  std::vector<Phase> phases;
  std::vector<otlp::v1::ResourceSpans> spans;
};

// One test suite, a test case for each check, or for each of its cases.
std::string ExportJunit(const RunReport& report);
// Common Test Report Format, a test for each check.
nlohmann::ordered_json ExportCtrf(const RunReport& report);
// `assay suite run --json -`: {title, outcome, score, max, bonus, checks:
// [{id, title, verdict, points, max, reason, position, steps}], phases, trace}.
nlohmann::ordered_json ExportJson(const RunReport& report);
// For a comment on a change: a table, and what failed with its reason.
std::string ExportMarkdown(const RunReport& report);
// One file without scripts and without anything to fetch: checks, reasons,
// steps and the trace as a waterfall.
std::string ExportHtml(const RunReport& report);

}  // namespace assay::reports

#endif  // ASSAY_RUNNER_REPORTS_EXPORT_H_
