// assay-runner --local as people start it: real cells, the real assay-run.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "runner/suite/compiler.h"
#include "runner/worker/event_parser.h"
#include "tests/sandbox/image/layout_builder.h"
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

  void WritePlan(const std::string& build,
                 const std::string& environment = "") {
    std::string text = kSuite;
    if (!environment.empty())
      text.insert(text.find("service:"), "environment: " + environment + "\n");
    text.replace(text.find("BUILD"), 5, build);
    auto compiled = suite::Compile({{"assay.yaml", text}});
    if (!compiled) throw std::runtime_error("the suite does not compile");
    std::ofstream(plan_) << compiled->plan.SerializeAsString();
  }

  Result CollectUrl(const std::string& url) {
    return Collect(Start({"--against-url", url}, {"--local"}));
  }
  pid_t Start(std::vector<std::string> extra = {}) {
    return Start(std::move(extra), {"--local", tree_});
  }
  pid_t Start(std::vector<std::string> extra, std::vector<std::string> local) {
    const fs::path bin = std::getenv("ASSAY_BIN_DIR");
    std::vector<std::string> text = {bin / "assay-runner"};
    text.insert(text.end(), local.begin(), local.end());
    const std::vector<std::string> rest = {"--plan", plan_, "--data-dir",
                                           directory_.path() / "data"};
    text.insert(text.end(), rest.begin(), rest.end());
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

// A registry on this machine's loopback, for as long as it lives.
class Registry {
 public:
  explicit Registry(const fs::path& tree) : tree_(tree) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    hold_ = ends[1];
    const std::string script = std::string(std::getenv("ASSAY_SOURCE_DIR")) +
                               "/tests/runner/worker/registry.py";
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[0], 0);
      execlp("python3", "python3", script.c_str(), tree.c_str(), nullptr);
      _exit(127);
    }
    close(ends[0]);
    for (int i = 0; i < 2'000 && !fs::exists(Beside(".port")); ++i)
      usleep(5'000);
    std::ifstream(Beside(".port")) >> port_;
  }
  ~Registry() {
    close(hold_);
    waitpid(pid_, nullptr, 0);
  }
  int port() const { return port_; }
  std::string asked() const {
    std::ostringstream text;
    text << std::ifstream(Beside(".asked")).rdbuf();
    return text.str();
  }

 private:
  fs::path Beside(const char* end) const { return tree_.string() + end; }
  const fs::path tree_;
  int hold_ = -1;
  pid_t pid_ = -1;
  int port_ = 0;
};

TEST_F(LocalTest, NpmInstallsFromTheOneRegistryThatTheBuildMayReach) {
  Registry registry(tree_);
  ASSERT_GT(registry.port(), 0);
  const std::string port = std::to_string(registry.port());
  std::ofstream(tree_ / "build.sh")
      << "set -e; npm ci --no-audit --no-fund --no-update-notifier\n"
         "test \"$(node -p \"require('tiny-greeting')\")\" = "
         "'hello from the registry'\n";
  // Loopback is for tests, and said so of this one place.
  WritePlan("sh build.sh", "{ egress: [ { host: \"127.0.0.1:" + port +
                               "\", private: true } ] }");
  const Result result = Run();
  EXPECT_EQ(End(result).outcome(), v1::Run::OUTCOME_COMPLETED)
      << End(result).reason() << result.complaint;
  EXPECT_THAT(registry.asked(), HasSubstr("tiny-greeting-1.0.0.tgz"));
  int spans = 0;
  for (const auto& event : result.events) {
    for (const auto& span : event.spans().spans())
      spans += span.name() == "egress 127.0.0.1" ? 1 : 0;
  }
  EXPECT_GE(spans, 1);
}

TEST_F(LocalTest, ABuildReachesNothingThatItsSuiteDoesNotName) {
  Registry registry(tree_);
  ASSERT_GT(registry.port(), 0);
  const std::string port = std::to_string(registry.port());
  const std::string ask = "exec 3<>/dev/tcp/127.0.0.1/" + port +
                          " && exit 1; "
                          "exec 3<>/dev/tcp/127.0.0.1/3128 && printf 'GET "
                          "http://127.0.0.1:" +
                          port +
                          "/x HTTP/1.1\\r\\n\\r\\n' >&3 && "
                          "grep -q '403 Forbidden' <&3";
  std::ofstream(tree_ / "ask.sh") << ask;
  // Another place is listed, and this one only without its token.
  for (const std::string& egress :
       {std::string("packages.example.org:443"), "127.0.0.1:" + port}) {
    WritePlan("bash ask.sh", "{ egress: [ \"" + egress + "\" ] }");
    const Result result = Run();
    EXPECT_EQ(End(result).outcome(), v1::Run::OUTCOME_COMPLETED)
        << End(result).reason() << result.complaint;
  }
  // And the proxy is not there at all.
  WritePlan("bash -c '! exec 3<>/dev/tcp/127.0.0.1/3128'", "{ egress: [] }");
  EXPECT_EQ(End(Run()).outcome(), v1::Run::OUTCOME_COMPLETED);
  EXPECT_EQ(registry.asked(), "");
}

class LocalImageTest : public LocalTest {
 protected:
  // An image that is this machine's own shell and Python would be large: one
  // with busybox has all that a build needs.
  void MakeImage() {
    std::ostringstream busybox;
    busybox << std::ifstream("/bin/busybox", std::ios::binary).rdbuf();
    sandbox::LayoutBuilder layout(directory_.path() / "data/layouts/tools");
    layout.Add({.layers = {sandbox::TarText()
                               .File("bin/sh", busybox.str(), 0755)
                               .File("etc/motd", "from the image")
                               .Bytes()},
                .tag = "1",
                .environment = {"FROM_IMAGE=yes"}});
  }
};

TEST_F(LocalImageTest, BuildAndServiceRunInTheSuitesImage) {
  MakeImage();
  // The service's Python is not in there: that it never gets ready shows that
  // it runs in the image, too.
  WritePlan(
      "test \"$(cat /etc/motd) $FROM_IMAGE\" = \"from the image yes\" && "
      "test ! -e /usr",
      "{ image: \"oci:tools:1\" }");
  const Result result = Run();
  EXPECT_NE(End(result).outcome(), v1::Run::OUTCOME_BUILD_FAILED)
      << End(result).reason();
  EXPECT_THAT(End(result).reason(), HasSubstr("python3: not found"))
      << result.complaint;
}

TEST_F(LocalImageTest, ImagesOutsideTheWorkersDirectoryAreRefused) {
  for (const auto& [image, says] :
       {std::pair("oci:../../etc", "without `..`"),
        {"oci:/etc", "without `..`"},
        {"oci:nothing", "has no image \"nothing\""}}) {
    WritePlan("true", "{ image: \"" + std::string(image) + "\" }");
    const Result result = Run();
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.complaint, HasSubstr(says)) << image;
  }
}

TEST_F(LocalTest, JudgesAServerThatIsThereAlready) {
  WritePlan("true");
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(listen(listener, 8), 0);
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  std::thread server([listener] {
    const std::string answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    const int peer = accept(listener, nullptr, nullptr);
    char request[4096];
    while (recv(peer, request, sizeof request, 0) > 0)
      send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
    close(peer);
  });
  const std::string url =
      "http://localhost:" + std::to_string(ntohs(address.sin_port));
  const Result result = CollectUrl(url);
  server.join();
  close(listener);
  EXPECT_EQ(result.exit_code, 0) << result.complaint;
  EXPECT_THAT(Verdicts(result),
              ElementsAre("answers VERDICT_PASSED", "hidden VERDICT_FAILED"));
  EXPECT_THAT(
      CollectUrl("http://example.test:80").events.back().finished().reason(),
      HasSubstr("expected a server on this machine"));
}

TEST_F(LocalTest, APlanThatIsNoneIsNamed) {
  std::ofstream(plan_) << "version: 1\n";
  const Result result = Run();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.complaint, HasSubstr(plan_.string()));
}

}  // namespace
}  // namespace assay::worker
