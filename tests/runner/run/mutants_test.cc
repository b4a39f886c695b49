// `mutants` steps in real cells: candidates' tests against a sound service and
// broken ones.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "runner/steps/mutants_step.h"
#include "tests/runner/run/run_fixture.h"

namespace assay::tests {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

// Adds two numbers; the sum of the sound one is right.
std::string Service(const std::string& sum) {
  return R"py(
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlparse, parse_qs
from calculation import add
class Handler(BaseHTTPRequestHandler):
    def log_message(self, *a): pass
    def do_GET(self):
        asked = parse_qs(urlparse(self.path).query)
        body = str(add(int(asked["a"][0]), int(asked["b"][0]))) if asked else "ok"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())
HTTPServer(("127.0.0.1", 8080), Handler).serve_forever()
)py";
}

std::string Calculation(const std::string& sum) {
  return "def add(a, b): return " + sum + "  # canary-77d2\n";
}

// The candidate's tests, in TAP; `cases` are pairs of numbers.
std::string Tests(const std::string& cases, const std::string& before = "") {
  return "#!/usr/bin/python3\nimport os, sys, time, urllib.request\n" + before +
         "\ncases = " + cases + R"py(
print("1..%d" % len(cases))
bad = 0
for i, (a, b) in enumerate(cases):
    got = int(urllib.request.urlopen(os.environ["SERVICE_URL"] + "/?a=%d&b=%d" % (a, b)).read())
    bad += got != a + b
    print("%s %d - %d + %d" % ("ok" if got == a + b else "not ok", i + 1, a, b))
sys.exit(bad > 0)
)py";
}

constexpr const char* kSuite = R"yaml(
version: 1
name: Mutants
limits: { run: 60s, check: 40s }
service:
  build: { run: "test -f calculation.py" }
  start: exec python3 service.py
  ready: { get: /, status: 200, within: 10s }
checks:
  - id: tests
    title: The tests find what is broken
    points: 6
    visibility: hidden
    steps:
      - mutants:
          run: ./run-tests
          reference: reference
          variants:
            - { name: subtracts, folder: variants/subtracts }
            - { name: ignores b, folder: variants/ignores }
            - { name: wrong for zero, folder: variants/zero }
          import: { tap: "-", min_cases: 1 }
)yaml";

class MutantsTest : public RunFixture {
 protected:
  Told Judge(const std::string& tests) {
    return Run(
        {{"assay.yaml", kSuite},
         {"reference/service.py", Service("")},
         {"reference/calculation.py", Calculation("a + b")},
         {"variants/subtracts/calculation.py", Calculation("a - b")},
         {"variants/ignores/calculation.py", Calculation("a")},
         {"variants/zero/calculation.py", Calculation("a + b if a else 9")}},
        {{"service.py", Service("")},
         {"calculation.py", "def add(a, b): return 0\n"},
         {"run-tests", tests}});
  }
  static std::vector<std::string> Caught(const v1::CheckResult& result) {
    std::vector<std::string> caught;
    for (const auto& step : result.steps()) {
      for (const auto& one : step.cases()) {
        if (one.verdict() == v1::VERDICT_PASSED) caught.push_back(one.name());
      }
    }
    return caught;
  }
};

TEST_F(MutantsTest, EachVariantThatIsCaughtEarnsItsShare) {
  const Told told = Judge(Tests("[(1, 2), (4, 0)]"));
  const auto result = told.Check("tests");
  EXPECT_EQ(result.verdict(), v1::VERDICT_FAILED);
  EXPECT_THAT(result.reason(), HasSubstr("caught 2 of 3 variants"));
  EXPECT_EQ(result.earned(), 4);
  EXPECT_THAT(Caught(result), UnorderedElementsAre("subtracts", "ignores b"));
  // Neither the variants' texts nor what they write is anywhere.
  EXPECT_THAT(told.Everything(), Not(HasSubstr("canary-77d2")));
}

TEST_F(MutantsTest, TestsThatCatchAllEarnAll) {
  const auto result = Judge(Tests("[(1, 2), (0, 3)]")).Check("tests");
  EXPECT_EQ(result.verdict(), v1::VERDICT_PASSED) << result.reason();
  EXPECT_EQ(result.earned(), 6);
}

TEST_F(MutantsTest, TestsThatFailAgainstASoundServiceEarnNothing) {
  const auto result =
      Judge(Tests("[(1, 2)]", "print('not ok - always')")).Check("tests");
  EXPECT_EQ(result.verdict(), v1::VERDICT_FAILED);
  EXPECT_THAT(result.reason(),
              HasSubstr("do not pass against a sound service"));
  EXPECT_EQ(result.earned(), 0);
}

TEST_F(MutantsTest, TestsThatAssertNothingCatchNothing) {
  const auto result = Judge("#!/bin/sh\necho 1..1\necho ok 1\n").Check("tests");
  EXPECT_EQ(result.earned(), 0);
  EXPECT_THAT(Caught(result), ElementsAre());
  const auto none = Judge("#!/bin/sh\nexit 0\n").Check("tests");
  EXPECT_THAT(none.reason(), HasSubstr("no cases ran"));
  EXPECT_EQ(none.earned(), 0);
}

TEST_F(MutantsTest, TestsThatKnowThatTheyRanBeforeEarnNothing) {
  // They leave a mark wherever they can write, and fail once they find one.
  const auto result = Judge(Tests("[(1, 2)]", R"py(
marks = ["/work/mark", "/tmp/mark", "/dev/shm/mark", "/repository/mark"]
seen = any(os.path.exists(mark) for mark in marks)
for mark in marks:
    try: open(mark, "w").close()
    except OSError: pass
if seen:
    print("1..1\nnot ok 1 - again")
    sys.exit(1)
)py"))
                          .Check("tests");
  EXPECT_THAT(Caught(result), UnorderedElementsAre("subtracts", "ignores b"));
  EXPECT_EQ(result.earned(), 4) << result.reason();
}

TEST_F(MutantsTest, TestsThatFailAfterAWhileEarnNothing) {
  // The repository was unpacked long before the second run.
  const auto result = Judge(Tests("[(1, 2)]", R"py(
if time.time() - os.stat("/repository/run-tests").st_ctime > 1.2:
    print("1..1\nnot ok 1 - late")
    sys.exit(1)
time.sleep(1.2)
)py"))
                          .Check("tests");
  EXPECT_THAT(result.reason(), testing::AnyOf(HasSubstr("the same one later"),
                                              HasSubstr("do not pass")));
  EXPECT_EQ(result.earned(), 0);
}

TEST(OrderOfRunsTest, HoldsEveryVariantAndTheReferenceOnce) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    auto order = steps::OrderOfRuns(4, seed);
    std::ranges::sort(order);
    EXPECT_THAT(order, ElementsAre(steps::kReference, 0, 1, 2, 3));
  }
  EXPECT_NE(steps::OrderOfRuns(9, 1), steps::OrderOfRuns(9, 2));
}

}  // namespace
}  // namespace assay::tests
