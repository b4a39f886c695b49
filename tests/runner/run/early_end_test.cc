// Runs that end before their checks, and what they say of it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stop_token>
#include <string>
#include <thread>

#include "tests/runner/run/run_fixture.h"

namespace assay::tests {
namespace {

using testing::HasSubstr;
using v1::Run;

class EarlyEndTest : public RunFixture {
 protected:
  Told RunWith(const std::string& service, const std::string& limits = "") {
    return Run(
        {{"assay.yaml", "version: 1\nname: Test\nlimits: { " + limits +
                            " }\nservice:\n" + service + R"yaml(
checks:
  - { id: one, title: One, points: 1, visibility: public, steps: [ { get: /, expect: { status: 200 } } ] }
)yaml"}},
        {{"fail.sh",
          "#!/bin/sh\necho compiling\necho 'no such header' >&2\nexit 2\n"}});
  }
};

TEST_F(EarlyEndTest, AFailedBuildSaysHowAndWithWhichWords) {
  const Told told = RunWith(
      "  build: { run: ./fail.sh }\n  start: { run: sleep 9 }\n"
      "  ready: { get: /, status: 200 }");
  EXPECT_EQ(told.finished().outcome(), Run::OUTCOME_BUILD_FAILED);
  EXPECT_EQ(told.finished().reason(),
            "the build (./fail.sh) exited with code 2: no such header");
  EXPECT_EQ(told.Phase("materialise"), "");
  EXPECT_EQ(told.Phase("start"), "(never)");
  EXPECT_EQ(told.Check("one").verdict(), v1::VERDICT_SKIPPED);
  EXPECT_THAT(told.Log("build"), HasSubstr("compiling"));
}

TEST_F(EarlyEndTest, ABuildThatHangsIsStopped) {
  const Told told = RunWith(
      "  build: { run: sleep 60, timeout: 200ms }\n  start: { run: sleep 9 }\n"
      "  ready: { get: /, status: 200 }");
  EXPECT_EQ(told.finished().outcome(), Run::OUTCOME_BUILD_FAILED);
  EXPECT_THAT(told.finished().reason(), HasSubstr("limit"));
  EXPECT_LT(told.took.count(), 3000);
}

TEST_F(EarlyEndTest, AServiceThatNeverListensIsNeverReady) {
  const Told told = RunWith(
      "  start: { run: echo waiting for nothing; sleep 60 }\n"
      "  ready: { get: /, status: 200, within: 300ms }");
  EXPECT_EQ(told.finished().outcome(), Run::OUTCOME_NEVER_READY);
  EXPECT_THAT(told.finished().reason(),
              HasSubstr("nothing listens on port 8080"));
  EXPECT_THAT(told.finished().reason(), HasSubstr("waiting for nothing"));
}

TEST_F(EarlyEndTest, AServiceThatCrashesAtItsStartIsNotWaitedFor) {
  const Told told = RunWith(
      "  start: { run: echo no config >&2; exit 7 }\n"
      "  ready: { get: /, status: 200, within: 30s }");
  EXPECT_EQ(told.finished().outcome(), Run::OUTCOME_SERVICE_CRASHED);
  EXPECT_EQ(told.finished().reason(),
            "the service exited with code 7 before it was ready; it wrote: no "
            "config");
  EXPECT_LT(told.took.count(), 3000);
}

TEST_F(EarlyEndTest, TheRunsOwnLimitKeepsWhatThereIs) {
  const Told told = RunWith(
      "  build: { run: sleep 60 }\n  start: { run: sleep 9 }\n"
      "  ready: { get: /, status: 200 }",
      "run: 400ms, build: 300ms");
  EXPECT_THAT(
      told.finished().outcome(),
      testing::AnyOf(Run::OUTCOME_TIMED_OUT, Run::OUTCOME_BUILD_FAILED));
  EXPECT_LT(told.took.count(), 3000);
}

// A suite of its own: its launcher does not survive it.
class LauncherDeathTest : public RunFixture {
 protected:
  // Waits for a process with this command line on the machine.
  static void AwaitProcess(const std::string& command,
                           const std::stop_token& stop) {
    while (!stop.stop_requested())
      for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        std::ifstream in(entry.path() / "cmdline", std::ios::binary);
        std::string words{std::istreambuf_iterator<char>(in), {}};
        std::ranges::replace(words, '\0', ' ');
        if (words == command + " ") return;
      }
  }
};

// What dies with it says nothing about the candidate's program.
TEST_F(LauncherDeathTest, ItIsOurFaultAndNoVerdict) {
  std::jthread killer([](const std::stop_token& stop) {
    AwaitProcess("sleep 86413", stop);
    kill(LauncherPid(), SIGKILL);
  });
  const Told told = Run({{"assay.yaml", R"yaml(
version: 1
name: Test
service:
  build: { run: sleep 86413 }
  start: { run: sleep 9 }
  ready: { get: /, status: 200 }
checks:
  - { id: one, title: One, points: 1, visibility: public, steps: [ { get: /, expect: { status: 200 } } ] }
)yaml"}},
                        {});
  EXPECT_EQ(told.finished().outcome(), v1::Run::OUTCOME_ERRORED);
  EXPECT_THAT(told.finished().reason(), HasSubstr("launcher died"));
  EXPECT_EQ(told.Check("one").verdict(), v1::VERDICT_UNSPECIFIED);
}

}  // namespace
}  // namespace assay::tests
