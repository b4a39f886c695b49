// assay-runner --local as people start it: real cells, the real assay-run.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "runner/suite/compiler.h"
#include "runner/worker/event_parser.h"
#include "tests/testing/temporary_directory.h"

namespace assay::worker {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kSuite[] = R"(version: 1
name: Tiny
service:
  build: { run: BUILD }
  start: { run: exec python3 server.py, env: { PORT: "{{port}}" } }
  ready: { get: /, status: 200, within: 20s }
checks:
  - id: answers
    title: It answers
    points: 3
    visibility: public
    steps: [ { get: /, expect: { status: 200 } } ]
  - id: hidden
    title: It says so
    points: 2
    visibility: hidden
    steps: [ { get: /, expect: { status: 404 } } ]
)";

constexpr char kServer[] = R"(import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])),
                       Handler).serve_forever()
)";

class LocalTest : public ::testing::Test {
 protected:
  struct Result {
    int exit_code = -1;
    std::vector<v1::RunEvent> events;
    std::string complaint;
  };

  LocalTest() {
    fs::create_directory(tree_);
    std::ofstream(tree_ / "server.py") << kServer;
  }

  void WritePlan(const std::string& build) {
    std::string text = kSuite;
    text.replace(text.find("BUILD"), 5, build);
    auto compiled = suite::Compile({{"assay.yaml", text}});
    if (!compiled) throw std::runtime_error("the suite does not compile");
    std::ofstream(plan_) << compiled->plan.SerializeAsString();
  }

  pid_t Start(std::vector<std::string> extra = {}) {
    const fs::path bin = std::getenv("ASSAY_BIN_DIR");
    std::vector<std::string> text = {bin / "assay-runner",
                                     "--local",
                                     tree_,
                                     "--plan",
                                     plan_,
                                     "--data-dir",
                                     directory_.path() / "data"};
    text.insert(text.end(), extra.begin(), extra.end());
    std::vector<char*> argv;
    argv.reserve(text.size() + 1);
    for (std::string& argument : text) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const pid_t pid = fork();
    if (pid != 0) return pid;
    if (freopen(out_.c_str(), "w", stdout) &&
        freopen(err_.c_str(), "w", stderr))
      execv(argv[0], argv.data());
    _exit(127);
  }

  Result Collect(pid_t pid) {
    int status = 0;
    waitpid(pid, &status, 0);
    Result result;
    if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
    result.events = *EventParser().Feed(Read(out_));
    result.complaint = Read(err_);
    return result;
  }
  Result Run(std::vector<std::string> extra = {}) {
    return Collect(Start(std::move(extra)));
  }

  static std::string Read(const fs::path& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
  }
  static std::vector<std::string> Verdicts(const Result& result) {
    std::vector<std::string> verdicts;
    for (const auto& event : result.events) {
      if (!event.has_check_finished()) continue;
      const auto& check = event.check_finished().result();
      verdicts.push_back(check.check_id() + " " +
                         v1::Verdict_Name(check.verdict()));
    }
    return verdicts;
  }
  // The last event's, which must be `finished`.
  static v1::RunEvent::Finished End(const Result& result) {
    EXPECT_FALSE(result.events.empty()) << result.complaint;
    return result.events.empty() ? v1::RunEvent::Finished()
                                 : result.events.back().finished();
  }

  // The first child of `pid` whose program is called `name`.
  static pid_t ChildOf(pid_t pid, const std::string& name) {
    std::istringstream children(Read("/proc/" + std::to_string(pid) + "/task/" +
                                     std::to_string(pid) + "/children"));
    for (pid_t child; children >> child;)
      if (Read("/proc/" + std::to_string(child) + "/comm") == name + "\n")
        return child;
    return 0;
  }
  pid_t AwaitChild(pid_t pid, const std::string& name) {
    for (int i = 0; i < 2'000; ++i) {
      if (const pid_t child = ChildOf(pid, name)) return child;
      usleep(5'000);
    }
    return 0;
  }

  testing::TemporaryDirectory directory_;
  const fs::path tree_ = directory_.path() / "tree";
  const fs::path plan_ = directory_.path() / "plan";
  const fs::path out_ = directory_.path() / "out";
  const fs::path err_ = directory_.path() / "err";
};

TEST_F(LocalTest, GradesADirectory) {
  WritePlan("chmod 644 server.py");
  const Result result = Run();
  EXPECT_EQ(result.exit_code, 0) << result.complaint;
  EXPECT_EQ(End(result).outcome(), v1::Run::OUTCOME_COMPLETED)
      << End(result).reason();
  EXPECT_THAT(Verdicts(result),
              ElementsAre("answers VERDICT_PASSED", "hidden VERDICT_FAILED"));
}

TEST_F(LocalTest, LeavesOutWhatWasNotAskedFor) {
  WritePlan("true");
  EXPECT_THAT(Verdicts(Run({"--public-only"})),
              ElementsAre("answers VERDICT_PASSED"));
  EXPECT_THAT(Verdicts(Run({"--check", "hidden"})),
              ElementsAre("hidden VERDICT_FAILED"));
}

TEST_F(LocalTest, ABuildThatFailsIsAResult) {
  WritePlan("exit 3");
  const Result result = Run();
  EXPECT_EQ(result.exit_code, 0) << result.complaint;
  EXPECT_EQ(End(result).outcome(), v1::Run::OUTCOME_BUILD_FAILED);
  EXPECT_THAT(End(result).reason(), HasSubstr("3"));
}

TEST_F(LocalTest, AFileThatCannotBeUnpackedIsAResult) {
  WritePlan("true");
  ASSERT_EQ(mkfifo((tree_ / "pipe").c_str(), 0600), 0);
  const Result result = Run();
  EXPECT_EQ(End(result).outcome(), v1::Run::OUTCOME_BUILD_FAILED);
  EXPECT_THAT(End(result).reason(), HasSubstr("pipe is neither a file"));
}

TEST_F(LocalTest, ADeadRunIsOurFaultAndNoResult) {
  WritePlan("sleep 60");
  const pid_t pid = Start();
  const pid_t run = AwaitChild(pid, "assay-run");
  ASSERT_GT(run, 0);
  kill(run, SIGKILL);
  const Result result = Collect(pid);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.complaint, HasSubstr("killed by signal 9"));
  for (const auto& event : result.events) EXPECT_FALSE(event.has_finished());
}

TEST_F(LocalTest, AnInterruptEndsTheRunAndItsLauncher) {
  WritePlan("sleep 60");
  const pid_t pid = Start();
  const pid_t run = AwaitChild(pid, "assay-run");
  const pid_t launcher = ChildOf(pid, "assay-launcher");
  ASSERT_GT(run, 0);
  ASSERT_GT(launcher, 0);
  kill(pid, SIGINT);
  EXPECT_EQ(Collect(pid).exit_code, 1);
  EXPECT_EQ(kill(run, 0), -1);
  EXPECT_EQ(kill(launcher, 0), -1);
}

TEST_F(LocalTest, APlanThatIsNoneIsNamed) {
  std::ofstream(plan_) << "version: 1\n";
  const Result result = Run();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.complaint, HasSubstr(plan_.string()));
}

}  // namespace
}  // namespace assay::worker
