#ifndef ASSAY_SERVICES_GIT_HTTP_PUSH_NARRATOR_H_
#define ASSAY_SERVICES_GIT_HTTP_PUSH_NARRATOR_H_

#include <string>

#include "assay/v1/run_service.pb.h"

namespace assay::git_http {

// Tells a run as lines for the pushing terminal. What a candidate's program
// had a hand in is made harmless: no escapes, bounded lines.
//
// Threads: confined to the strand.
class PushNarrator {
 public:
  // The lines that `update` adds, each with its end; empty for none.
  std::string Tell(const v1::WatchRunResponse& update);
  // True once the run is over and its score was told.
  bool finished() const { return finished_; }

 private:
  std::string TellSnapshot(const v1::Run& run);
  std::string TellEvent(const v1::RunEvent& event);
  std::string TellCheck(const v1::CheckResult& check);
  std::string TellEnd();
  std::string TellQueued(int position);

  bool finished_ = false;
  int told_position_ = -1;
  // Of the checks that were told. A run's own score counts hidden ones, too,
  // and is not shown to candidates.
  v1::Score told_;
  // Of the worker's last word, for a run that did not come to its checks.
  std::string outcome_;
};

}  // namespace assay::git_http

#endif  // ASSAY_SERVICES_GIT_HTTP_PUSH_NARRATOR_H_
