#ifndef ASSAY_TESTS_SANDBOX_SANDBOX_TEST_H_
#define ASSAY_TESTS_SANDBOX_SANDBOX_TEST_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/cell/launcher.h"
#include "sandbox/cell/session.h"
#include "sandbox/cell/spec.h"

namespace assay::sandbox {

// Who starts the launcher under test. The tests run as root and start it as a
// user that owns nothing for kUser.
enum class Starter { kRoot, kUser };
std::string StarterName(const testing::TestParamInfo<Starter>& info);

// The uid that kUser stands for.
inline constexpr unsigned kTestUid = 54'321;

// A directory that is removed with everything in it at the end.
class TempDirectory {
 public:
  TempDirectory();
  ~TempDirectory();
  const std::string& path() const { return path_; }
  // Writes a file below it and returns its path.
  std::string Write(const std::string& name, std::string_view content,
                    unsigned mode = 0644) const;

 private:
  std::string path_;
};

struct Outcome {
  Termination termination;
  std::string out;
  std::string err;
};

// A launcher of its own for each test, and short ways to run things in cells.
class SandboxTest : public testing::TestWithParam<Starter> {
 protected:
  void SetUp() override;
  // Checks that the launcher had nothing left.
  void TearDown() override;

  bool rootless() const { return GetParam() == Starter::kUser; }
  bool Enforces(Weakness weakness) const;

  // A process spec that runs `script` with /bin/sh.
  static ProcessSpec Shell(std::string script);
  static CellSpec CellOf(std::vector<ProcessSpec> processes);
  static SessionSpec SessionOf(CellSpec cell);

  Session NewSession(const SessionSpec& spec);
  // Runs one shell script in a cell of its own.
  Outcome Run(std::string script);
  Outcome Run(CellSpec cell);
  // Starts a process and collects everything it writes until it ends.
  static Outcome RunIn(Cell& cell, std::uint32_t process = 0);
  static Outcome Collect(Process& process);

  static std::string LauncherPath();
  // Beside the launcher's start, nobody uses it.
  const TempDirectory& scratch() const { return directory_; }

  std::unique_ptr<Launcher> launcher_;

 private:
  TempDirectory directory_;
};

// How much longer than on a real processor things may take: ASSAY_TIME_FACTOR,
// which tests/vm/guest sets, or 1. Scales limits that bound our own steps,
// never one that a program has to be caught by.
int TimeFactor();

// Waits until `condition` holds; false after about 3 seconds.
template <class Condition>
bool Eventually(Condition condition) {
  for (int i = 0; i < 3'000 * TimeFactor(); ++i) {
    if (condition()) return true;
    ::usleep(1000);
  }
  return false;
}

// Reads a file of this machine; empty if there is none.
std::string ReadFile(const std::string& path);

#define ASSAY_SANDBOX_SUITE(Suite) \
  INSTANTIATE_TEST_SUITE_P(        \
      As, Suite, testing::Values(Starter::kRoot, Starter::kUser), StarterName)

}  // namespace assay::sandbox

#endif  // ASSAY_TESTS_SANDBOX_SANDBOX_TEST_H_
