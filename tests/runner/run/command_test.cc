// `command` steps in real cells: an author's hidden tests and a candidate's own
// ones, whatever either side does to the other.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/runner/run/run_fixture.h"

namespace assay::tests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr const char* kCanary = "canary-4f1c9e0b7a";

// Answers, and searches everything that it can see for the canary.
constexpr const char* kService = R"py(
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
def search():
    found = []
    for top in ("/work", "/tmp", "/dev/shm", "/repository", "/suite", "/variants", "/proc", "/home", "/root", "/var", "/run", "/srv", "/mnt", "/opt"):
        for folder, _, names in os.walk(top):
            if "/self/" in folder or "/task/" in folder: continue
            for name in names:
                path = os.path.join(folder, name)
                try:
                    if os.path.islink(path) or not os.path.isfile(path): continue
                    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
                    try: data = os.read(descriptor, 1 << 20)
                    finally: os.close(descriptor)
                    if b"canary-" b"4f1c9e0b7a" in data: found.append(path)
                except OSError: pass
    return found
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *a): pass
    def do_GET(self):
        body = "ok"
        if self.path == "/search": body = ",".join(search()) or "nothing"
        if self.path == "/answer": body = "42"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())
ThreadingHTTPServer(("127.0.0.1", 8080), Handler).serve_forever()
)py";

constexpr const char* kHead = R"yaml(
version: 1
name: Commands
limits: { run: 60s, check: 20s }
service:
  start: exec python3 service.py
  ready: { get: /, status: 200, within: 10s }
checks:
)yaml";

class CommandTest : public RunFixture {
 protected:
  Told RunChecks(const std::string& checks, Files suite_files = {},
                 Files tree = {}) {
    suite_files["assay.yaml"] = kHead + checks;
    tree.emplace("service.py", kService);
    return Run(suite_files, tree);
  }
  static std::vector<std::string> Cases(const v1::CheckResult& result) {
    std::vector<std::string> cases;
    for (const auto& step : result.steps()) {
      for (const auto& one : step.cases()) {
        cases.push_back(one.name() + " " + v1::Verdict_Name(one.verdict()));
      }
    }
    return cases;
  }
};

// A test of the author's that asks the service.
constexpr const char* kHiddenTests = R"py(
import os, urllib.request
# canary-4f1c9e0b7a
def get(path):
    return urllib.request.urlopen(os.environ["SERVICE_URL"] + path).read()
def test_answer():
    assert get("/answer") == b"42"
def test_search():
    assert get("/search") == b"nothing"
)py";

constexpr const char* kHiddenCheck = R"yaml(
  - id: hidden
    title: Hidden tests
    points: 4
    visibility: hidden
    steps:
      - command: python3 -m pytest -q -p no:cacheprovider --junitxml=out/report.xml tests
        in: suite
        files: [ tests/ ]
        import: { junit: "out/*.xml", min_cases: 2 }
)yaml";

TEST_F(CommandTest, HiddenTestsReachTheServiceAndAreReachedByNothing) {
  const Told told =
      RunChecks(kHiddenCheck, {{"tests/test_api.py", kHiddenTests}});
  const auto hidden = told.Check("hidden");
  // The service looked for their text while they ran, and found it nowhere.
  EXPECT_EQ(hidden.verdict(), v1::VERDICT_PASSED)
      << hidden.reason() << told.Log("command");
  EXPECT_EQ(hidden.earned(), 4);
  EXPECT_THAT(Cases(hidden), SizeIs(2));
  EXPECT_THAT(told.Log("service"), Not(HasSubstr(kCanary)));
}

TEST_F(CommandTest, ACandidatesFilesDoNotChangeHiddenTests) {
  const Files hostile = {
      {"conftest.py",
       "def pytest_collection_modifyitems(items): items.clear()\n"
       "import os; os._exit(0)\n"},
      {"sitecustomize.py", "import os; os._exit(0)\n"},
      {"pytest.ini", "[pytest]\naddopts = --collect-only\n"},
      {"tests/test_api.py", "def test_answer(): pass\n"},
      {"out/report.xml",
       "<testsuite tests='9'><testcase name='x'/></testsuite>"},
      {"python3", "#!/bin/sh\nexit 0\n"},
      {"service.py", std::string(kService).replace(
                         std::string(kService).find("\"42\""), 4, "\"41\"")}};
  std::string check = kHiddenCheck;
  check.replace(check.find("in: suite"), 9,
                "in: suite\n        repository: true");
  const Told told =
      RunChecks(check, {{"tests/test_api.py", kHiddenTests}}, hostile);
  const auto hidden = told.Check("hidden");
  EXPECT_EQ(hidden.verdict(), v1::VERDICT_FAILED);
  EXPECT_THAT(hidden.reason(), HasSubstr("1 of 2 cases failed"));
}

TEST_F(CommandTest, TheRepositoryIsThereOnlyWhereTheSuiteSaysSo) {
  const std::string look = R"yaml(
  - id: with
    title: With
    points: 1
    visibility: hidden
    steps:
      - { command: "test -f /repository/service.py && ! touch /repository/x", in: suite, repository: true }
  - id: without
    title: Without
    points: 1
    visibility: hidden
    steps:
      - { command: "test ! -e /repository && test ! -e service.py", in: suite }
)yaml";
  const Told told = RunChecks(look);
  EXPECT_EQ(told.Check("with").verdict(), v1::VERDICT_PASSED)
      << told.Check("with").reason();
  EXPECT_EQ(told.Check("without").verdict(), v1::VERDICT_PASSED)
      << told.Check("without").reason();
}

TEST_F(CommandTest, NothingThatRanIsNeverAPass) {
  const Told told = RunChecks(R"yaml(
  - { id: silent, title: Silent, points: 1, visibility: hidden, steps: [ { command: "true", in: suite, import: { junit: "*.xml" } } ] }
  - { id: empty, title: Empty, points: 1, visibility: hidden, steps: [ { command: "echo 1..0", in: suite, import: { tap: "-" } } ] }
  - { id: skipped, title: Skipped, points: 1, visibility: hidden, steps: [ { command: "echo TAP version 13; echo 1..1; echo 'ok 1 - a # SKIP later'", in: suite, import: { tap: "-" } } ] }
  - { id: garbage, title: Garbage, points: 1, visibility: hidden, steps: [ { command: "head -c 3000 /dev/urandom > r.json", in: suite, import: { ctrf: "r.json" } } ] }
  - { id: crashed, title: Crashed, points: 1, visibility: hidden, partial: true, steps: [ { command: "echo 1..1; echo 'ok 1 - a'; exit 3", in: suite, import: { tap: "-" } } ] }
)yaml");
  EXPECT_THAT(told.Check("silent").reason(), HasSubstr("no cases ran"));
  EXPECT_THAT(told.Check("skipped").reason(), HasSubstr("no cases ran"));
  EXPECT_THAT(told.Check("crashed").reason(), HasSubstr("exited with code 3"));
  for (const char* id : {"silent", "empty", "skipped", "garbage", "crashed"}) {
    EXPECT_EQ(told.Check(id).verdict(), v1::VERDICT_FAILED) << id;
    EXPECT_EQ(told.Check(id).earned(), 0) << id;
  }
}

TEST_F(CommandTest, OtherFrameworksSpeakTheirOwnFormats) {
  const Told told = RunChecks(
      R"yaml(
  - id: node
    title: Node
    points: 1
    visibility: hidden
    steps:
      - { command: "node --test", in: suite, files: [ api.test.js ], import: { tap: "-", min_cases: 1 } }
  - id: go
    title: Go
    points: 4
    partial: true
    visibility: hidden
    steps:
      - { command: "cat go.json; exit 1", in: suite, files: [ go.json ], import: { gotest: "-" } }
  - id: go-or-nothing
    title: Go
    points: 4
    visibility: hidden
    steps:
      - { command: "cat go.json; exit 1", in: suite, files: [ go.json ], import: { gotest: "-" } }
  - id: exit
    title: Exit code
    points: 1
    visibility: hidden
    steps:
      - { command: "exit 7", in: suite, expect: { exit: 7 } }
  - id: exit-wrong
    title: Exit code
    points: 1
    visibility: hidden
    steps:
      - { command: "echo what a pity >&2; exit 7", in: suite }
)yaml",
      {{"api.test.js",
        "const test = require('node:test'), assert = require('assert');\n"
        "test('answers', async () => {\n"
        "  const http = require('http');\n"
        "  const body = await new Promise((done) => "
        "http.get(process.env.SERVICE_URL + '/answer',"
        " (r) => { let t = ''; r.on('data', (d) => t += d); r.on('end', () => "
        "done(t)); }));\n"
        "  assert.strictEqual(body, '42');\n});\n"},
       {"go.json",
        R"({"Action":"run","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0.1}
{"Action":"run","Package":"p","Test":"TestB"}
{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:4: want 1\n"}
{"Action":"fail","Package":"p","Test":"TestB","Elapsed":0.1}
{"Action":"fail","Package":"p","Elapsed":0.2}
)"}});
  EXPECT_EQ(told.Check("node").verdict(), v1::VERDICT_PASSED)
      << told.Check("node").reason() << told.Log("command");
  EXPECT_EQ(told.Check("go").verdict(), v1::VERDICT_FAILED);
  EXPECT_EQ(told.Check("go").earned(), 2) << told.Check("go").reason();
  EXPECT_EQ(told.Check("go-or-nothing").earned(), 0) << "not partial";
  EXPECT_EQ(told.Check("exit").verdict(), v1::VERDICT_PASSED)
      << told.Check("exit").reason();
  EXPECT_THAT(told.Check("exit-wrong").reason(),
              HasSubstr("exited with code 7: what a pity"));
}

TEST_F(CommandTest, ACandidatesOwnTestsAreClaimed) {
  const Told told = RunChecks(R"yaml(
  - id: own
    title: Own tests
    points: 0
    visibility: public
    steps:
      - { command: ./own-tests, import: { junit: "build/*.xml" } }
)yaml",
                              {}, {{"own-tests", R"(#!/bin/sh
mkdir -p build
echo '<testsuite><testcase name="a"/><testcase name="b"/></testsuite>' > build/report.xml
ln -s /etc/passwd build/link.xml
mkfifo build/fifo.xml
)"}});
  const auto own = told.Check("own");
  EXPECT_EQ(own.verdict(), v1::VERDICT_PASSED) << own.reason();
  EXPECT_EQ(own.earned(), 0);
  EXPECT_THAT(Cases(own), ElementsAre("a VERDICT_PASSED", "b VERDICT_PASSED"));
}

TEST_F(CommandTest, ACommandThatDoesNotEndIsEnded) {
  const Told told = RunChecks(R"yaml(
  - { id: hangs, title: Hangs, points: 1, visibility: hidden, steps: [ { command: "echo waiting; sleep 60", in: suite, timeout: 300ms } ] }
  - { id: floods, title: Floods, points: 1, visibility: hidden, timeout: 3s, steps: [ { command: "yes", in: suite, timeout: 700ms, import: { tap: "-" } } ] }
  - id: daemon
    title: Leaves a process that would write a better report
    points: 1
    visibility: hidden
    steps:
      - command: "setsid sh -c 'sleep 0.2; echo \"<testsuite><testcase name=\\\"late\\\"/></testsuite>\" > r.xml' & exit 0"
        in: suite
        import: { junit: r.xml }
)yaml");
  EXPECT_EQ(told.Check("hangs").verdict(), v1::VERDICT_TIMED_OUT);
  EXPECT_THAT(told.Check("hangs").reason(), HasSubstr("waiting"));
  EXPECT_EQ(told.Check("floods").verdict(), v1::VERDICT_TIMED_OUT);
  EXPECT_THAT(told.Check("daemon").reason(), HasSubstr("no cases ran"));
  EXPECT_LT(told.took.count(), 10'000);
}

}  // namespace
}  // namespace assay::tests
