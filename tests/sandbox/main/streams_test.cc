#include <csignal>

#include "tests/sandbox/main/assay_sandbox_test.h"

namespace assay::sandbox {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST_P(AssaySandboxTest, StreamsArePassedOnByteForByte) {
  const std::string bytes("a\0\xff\x1b[31m\n", 9);
  directory_.Write("in", bytes);
  EXPECT_EQ(Call("run -- cat < in").out, bytes);
  EXPECT_EQ(Call("run --stdin in -- cat").out, bytes);
  const Finished files =
      Call("run --stdout o --stderr e -- sh -c 'echo 1; echo 2 >&2'");
  EXPECT_EQ(files.out, "");
  EXPECT_EQ(ReadFile(directory_.path() + "/o"), "1\n");
  EXPECT_EQ(ReadFile(directory_.path() + "/e"), "2\n");
}

TEST_P(AssaySandboxTest, OutputBeforeALimitIsKept) {
  const Finished finished =
      Call("run --wall " + std::to_string(300 * TimeFactor()) +
           "ms -- sh -c 'echo first; sleep 99'");
  EXPECT_EQ(finished.out, "first\n");
  EXPECT_THAT(finished.err, HasSubstr("wall time limit"));
}

TEST_P(AssaySandboxTest, BindsAndEnvironmentAreWhatWasSaid) {
  directory_.Write("data", "shared");
  EXPECT_EQ(Call("run --ro data:/d --env X=1 --env X=2 --cwd /tmp -- sh -c "
                 "'cat /d; echo \" $X\"; pwd; env | wc -l'")
                .out,
            "shared 2\n/tmp\n4\n");
  EXPECT_EQ(Call("run --rw .:/out -- sh -c 'echo made > /out/f'").status, 0);
  EXPECT_EQ(ReadFile(directory_.path() + "/f"), "made\n");
}

TEST_P(AssaySandboxTest, SlowReaderDoesNotHoldTheLimitsUp) {
  const std::string path = directory_.path() + "/result";
  Call("run --json " + path + " --wall 200ms -- yes | sleep 1");
  const json result = json::parse(ReadFile(path), nullptr, false);
  EXPECT_EQ(result["termination"]["kind"], "wall_timeout");
  EXPECT_LT(result["wall_ms"], 700);
}

TEST_P(AssaySandboxTest, EndsWithTheReaderOfItsOutput) {
  const std::string path = directory_.path() + "/result";
  for (const char* way : {"", "--net egress=127.0.0.1:1 "}) {
    Call(std::string("run ") + way + "--wall 20s --json " + path +
         " -- yes | head -n 1");
    const json result = json::parse(ReadFile(path), nullptr, false);
    EXPECT_EQ(result["termination"]["kind"], "signalled") << way << result;
    EXPECT_EQ(result["termination"]["signal"], SIGPIPE);
  }
}

}  // namespace
}  // namespace assay::sandbox
