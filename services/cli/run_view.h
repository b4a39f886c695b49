#ifndef ASSAY_SERVICES_CLI_RUN_VIEW_H_
#define ASSAY_SERVICES_CLI_RUN_VIEW_H_

#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "assay/v1/run.pb.h"
#include "services/cli/console.h"
#include "services/cli/exit_code.h"

namespace assay::cli {

// Words for the terminal: "passed", "completed", "running".
std::string VerdictText(v1::Verdict verdict);
std::string OutcomeText(v1::Run::Outcome outcome);
std::string StateText(v1::Run::State state);
std::string KindText(v1::Run::Kind kind);

// "12" or "7.5": points without noise.
std::string PointsText(double points);

// kSuccess when every check of a completed run passed, kNegative when one did
// not or the candidate's program could not be graded, kBroken when we failed.
ExitCode ExitCodeOf(const v1::Run& run);

// The score table: a row for each check, and a sentence under each that lost
// points.
void PrintScore(Console& console, const v1::Run& run);

// Draws a run as it happens, as a tree that only grows: phases, the checks in
// theirs, and what went wrong. Fed with a snapshot, events, or both.
//
// Ownership: borrows the console. Threads: one.
class RunView {
 public:
  struct Options {
    // Print every log line instead of the end of a failed phase's.
    bool logs = false;
  };
  RunView(Console& console, Options options)
      : console_(console), options_(options) {}

  void OnSnapshot(const v1::Run& run);
  void OnEvent(const v1::RunEvent& event);
  // For a run without a server, before its last event: the worker says no
  // score.
  void OnScore(const v1::Score& score) { *run_.mutable_score() = score; }

  // What is known of the run: state, outcome, checks and score.
  const v1::Run& run() const { return run_; }
  bool finished() const { return run_.state() == v1::Run::STATE_FINISHED; }

 private:
  void OnPhaseStarted(const v1::RunEvent& event);
  void OnPhaseFinished(const v1::RunEvent& event);
  void OnLog(const v1::RunEvent::Log& log);
  void OnCheckFinished(const v1::CheckResult& result);
  void OnFinished(const v1::RunEvent::Finished& finished);
  void OnStateChanged(const v1::RunEvent::StateChanged& changed);
  void PrintCheck(const v1::CheckResult& result);
  void PrintTail(const std::string& stream);
  // The worker is gone without a last word: says where the record breaks off.
  void PrintIncomplete();
  void PrintEnd();

  Console& console_;
  Options options_;
  v1::Run run_;
  std::map<std::string, google::protobuf::Timestamp> phase_start_;
  // The last few KiB of each stream.
  std::map<std::string, std::string> tails_;
  // Bytes of each stream that has not ended.
  std::map<std::string, std::int64_t> open_logs_;
  bool in_checks_ = false;
  bool ended_ = false;
};

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_RUN_VIEW_H_
