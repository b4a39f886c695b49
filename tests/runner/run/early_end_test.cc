// Runs that end before their checks, and what they say of it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

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

}  // namespace
}  // namespace assay::tests
