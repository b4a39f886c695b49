#ifndef ASSAY_SERVICES_CLI_RUN_RECORDER_H_
#define ASSAY_SERVICES_CLI_RUN_RECORDER_H_

#include <google/protobuf/timestamp.pb.h>

#include <map>
#include <string>

#include "assay/plan/v1/plan.pb.h"
#include "assay/v1/run.pb.h"
#include "runner/reports/export.h"

namespace assay::cli {

// Makes a report of a local run's events: what a server would have stored.
//
// Ownership: borrows the plan. Threads: one.
class RunRecorder {
 public:
  explicit RunRecorder(const plan::v1::Plan& plan);

  void OnEvent(const v1::RunEvent& event);

  // Complete after the last event; the score is that of the checks that were
  // run.
  const reports::RunReport& report() const { return report_; }
  const v1::Run& run() const { return report_.run; }

 private:
  void OnPhaseFinished(const v1::RunEvent& event);
  void OnFinished(const v1::RunEvent& event);

  const plan::v1::Plan& plan_;
  reports::RunReport report_;
  std::map<std::string, google::protobuf::Timestamp> phase_start_;
};

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_RUN_RECORDER_H_
