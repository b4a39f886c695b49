#ifndef ASSAY_TESTS_SANDBOX_MAIN_ASSAY_SANDBOX_TEST_H_
#define ASSAY_TESTS_SANDBOX_MAIN_ASSAY_SANDBOX_TEST_H_

#include <nlohmann/json.hpp>
#include <string>

#include "tests/sandbox/sandbox_test.h"

namespace assay::sandbox {

struct Finished {
  int status = -1;
  std::string out;
  std::string err;
};

// The program from the shell, as root and as an ordinary user.
class AssaySandboxTest : public testing::TestWithParam<Starter> {
 protected:
  void SetUp() override;

  bool root() const { return GetParam() == Starter::kRoot; }

  // The shell's words for "assay-sandbox <words>".
  std::string AsStarter(const std::string& words) const;
  // Runs "assay-sandbox <words>" through the shell.
  Finished Call(const std::string& words) const {
    return Shell(AsStarter(words));
  }
  Finished Shell(const std::string& command) const;
  nlohmann::json Result(const std::string& words) const;

  TempDirectory directory_;
  std::string program_;
};

}  // namespace assay::sandbox

#endif  // ASSAY_TESTS_SANDBOX_MAIN_ASSAY_SANDBOX_TEST_H_
