#include "tests/sandbox/main/assay_sandbox_test.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace assay::sandbox {

ASSAY_SANDBOX_SUITE(AssaySandboxTest);

void AssaySandboxTest::SetUp() {
  program_ = directory_.path() + "/assay-sandbox";
  for (const char* name : {"/assay-sandbox", "/assay-image", "/assay-egress"}) {
    std::filesystem::copy_file(std::string(std::getenv("ASSAY_BIN_DIR")) + name,
                               directory_.path() + name);
  }
  ::chmod(directory_.path().c_str(), 0777);
}

std::string AssaySandboxTest::AsStarter(const std::string& words) const {
  const std::string uid = std::to_string(kTestUid);
  std::string command = program_ + " " + words;
  if (root()) return command;
  return "setpriv --reuid=" + uid + " --regid=" + uid + " --clear-groups " +
         command;
}

Finished AssaySandboxTest::Shell(const std::string& command) const {
  const std::string err = directory_.path() + "/stderr";
  std::FILE* pipe = ::popen(
      ("cd " + directory_.path() + " && { " + command + "; } 2>" + err).c_str(),
      "re");
  Finished finished;
  char buffer[4096];
  std::size_t n = 0;
  while ((n = std::fread(buffer, 1, sizeof(buffer), pipe)) > 0) {
    finished.out.append(buffer, n);
  }
  finished.status = WEXITSTATUS(::pclose(pipe));
  finished.err = ReadFile(err);
  return finished;
}

nlohmann::json AssaySandboxTest::Result(const std::string& words) const {
  const std::string path = directory_.path() + "/result";
  Call("run --json " + path + " " + words);
  return nlohmann::json::parse(ReadFile(path), nullptr, false);
}

}  // namespace assay::sandbox
