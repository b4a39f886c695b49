#ifndef ASSAY_TESTS_RUNNER_RUN_RUN_FIXTURE_H_
#define ASSAY_TESTS_RUNNER_RUN_RUN_FIXTURE_H_

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "assay/runner/v1/run_input.pb.h"
#include "assay/v1/run.pb.h"
#include "sandbox/cell/launcher.h"
#include "sandbox/cell/spec.h"

namespace assay::tests {

// What a run told.
struct Told {
  std::vector<v1::RunEvent> events;
  std::chrono::milliseconds took{0};
  int exit_code = -1;

  const v1::RunEvent::Finished& finished() const;
  // By id; an empty result where there is none.
  v1::CheckResult Check(const std::string& id) const;
  std::string Log(const std::string& stream) const;
  // Empty: the phase went well; "(never)": it did not happen.
  std::string Phase(const std::string& phase) const;
  std::vector<otlp::v1::Span> Spans() const;
  // Spans of that name.
  std::vector<otlp::v1::Span> Spans(const std::string& name) const;
  std::string Everything() const;
};

std::string Attribute(const otlp::v1::Span& span, const std::string& key);

// The value that a secret has in these runs: 64 hex digits.
std::string SecretOf(const std::string& name);

// Runs suites against candidates' files with the real assay-run and launcher,
// in cells.
class RunFixture : public testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();

  using Files = std::map<std::string, std::string>;
  // `suite_files` holds assay.yaml and what it names; `tree` the commit.
  // `change` may alter the input before it is handed over.
  Told Run(const Files& suite_files, const Files& tree,
           void (*change)(runner::v1::RunInput&) = nullptr);

  // PostgreSQL sidecars write every statement to their log, with what `kPrefix`
  // says of who sent it.
  bool log_statements_ = false;
  static constexpr const char* kPrefix = "<%u|%a|%p> ";

  // The process that has built this suite's cells.
  static pid_t LauncherPid() { return launcher_->pid(); }

 private:
  Expected<sandbox::CellSpec> Blueprint(const plan::v1::Plan& plan,
                                        const plan::v1::Sidecar& sidecar);

  static std::unique_ptr<sandbox::Launcher> launcher_;
  static std::string directory_;
};

}  // namespace assay::tests

#endif  // ASSAY_TESTS_RUNNER_RUN_RUN_FIXTURE_H_
