// Sidecars that run before their run does.

#include "runner/worker/workshop.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "runner/suite/compiler.h"
#include "runner/worker/event_parser.h"
#include "runner/worker/local_run.h"
#include "tests/testing/temporary_directory.h"

namespace assay::worker {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;

constexpr char kSuite[] = R"(version: 1
name: Ahead
service:
  start: { run: exec python3 -S -E server.py }
  ready: { get: /, status: 200, within: 20s }
SIDECARS
checks:
  - id: marked
    title: Somebody was there before
    points: 1
    visibility: public
    steps: [ STEP ]
)";

constexpr char kServer[] = R"(import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", 8080), Handler).serve_forever()
)";

std::string Read(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

class WorkshopTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "looks into cells: needs root";
    if (access("/usr/bin/redis-server", X_OK) != 0)
      GTEST_SKIP() << "needs redis-server";
    fs::create_directory(tree_);
    std::ofstream(tree_ / "server.py") << kServer;
    const fs::path bin = std::getenv("ASSAY_BIN_DIR");
    run_program_ = bin / "assay-run";
    auto launcher = sandbox::Launcher::Spawn(bin / "assay-launcher");
    ASSERT_TRUE(launcher.has_value()) << launcher.error();
    launcher_ = launcher->pid();
    workshop_ = std::make_unique<CellWorkshop>(*std::move(launcher), Places());
    fs::create_directory(directory_.path() / "data");
  }

  WorkshopPlaces Places() const {
    const fs::path bin = std::getenv("ASSAY_BIN_DIR");
    return {.data_dir = directory_.path() / "data",
            .image_dir = "",
            .unpack_program = bin / "assay-unpack",
            .image_program = bin / "assay-image",
            .egress_program = bin / "assay-egress"};
  }
  // What a build that wants a private address is told; empty: it may.
  std::string PrivateEgress(CellWorkshop& workshop) const {
    std::string text = kSuite;
    text.replace(text.find("SIDECARS"), 8, "");
    text.replace(text.find("STEP"), 4, "{ get: /, expect: { status: 200 } }");
    auto compiled = suite::Compile({{"assay.yaml", text}});
    EXPECT_TRUE(compiled.has_value()) << suite::ToText(compiled.error());
    if (!compiled) return "no plan";
    auto* place = compiled->plan.mutable_environment()->add_egress();
    place->set_host("10.1.2.3");
    place->set_port(80);
    place->set_private_(true);
    const auto prepared = workshop.Prepare({.run = "egress",
                                            .epoch = 1,
                                            .plan = compiled->plan,
                                            .seed = 1,
                                            .tree = tree_.string()});
    return prepared ? "" : prepared.error().error.message;
  }

  // The run's events.
  std::vector<v1::RunEvent> Run(bool with_sidecar = true) {
    std::string text = kSuite;
    text.replace(text.find("SIDECARS"), 8,
                 with_sidecar ? "sidecars: { cache: { kind: redis } }" : "");
    text.replace(text.find("STEP"), 4,
                 with_sidecar ? "{ redis: [GET, mark], expect: { eq: ahead } }"
                              : "{ get: /, expect: { status: 200 } }");
    auto compiled = suite::Compile({{"assay.yaml", text}});
    EXPECT_TRUE(compiled.has_value()) << suite::ToText(compiled.error());
    if (!compiled) return {};
    const sandbox::UniqueFd out(memfd_create("events", MFD_CLOEXEC));
    const Status ran = RunLocally(*workshop_, run_program_,
                                  {.run = "local",
                                   .epoch = 1,
                                   .plan = compiled->plan,
                                   .seed = 1,
                                   .tree = tree_.string()},
                                  out.get());
    EXPECT_TRUE(ran.has_value()) << ran.error();
    const std::string bytes =
        Read("/proc/self/fd/" + std::to_string(out.get()));
    auto events = EventParser().Feed(bytes);
    EXPECT_TRUE(events.has_value());
    return events ? *std::move(events) : std::vector<v1::RunEvent>();
  }

  static bool Marked(const std::vector<v1::RunEvent>& events) {
    for (const auto& event : events) {
      if (event.check_finished().result().check_id() == "marked")
        return event.check_finished().result().verdict() == v1::VERDICT_PASSED;
    }
    ADD_FAILURE() << "the check was not run";
    return false;
  }

  // "+sidecars", "-sidecars", "+materialise"...: phases in their order.
  static std::vector<std::string> Phases(
      const std::vector<v1::RunEvent>& events) {
    std::vector<std::string> phases;
    for (const auto& event : events) {
      if (event.has_phase_started())
        phases.push_back("+" + event.phase_started().phase());
      if (event.has_phase_finished())
        phases.push_back("-" + event.phase_finished().phase());
    }
    return phases;
  }

  // Redis servers below our launcher.
  std::vector<pid_t> Servers() const {
    std::vector<pid_t> found;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const std::string name = entry.path().filename();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      if (Read(entry.path() / "comm") != "redis-server\n") continue;
      pid_t pid = std::stoi(name);
      for (pid_t up = pid; up > 1;) {
        if (up == launcher_) {
          found.push_back(pid);
          break;
        }
        const std::string stat = Read("/proc/" + std::to_string(up) + "/stat");
        const std::size_t end = stat.rfind(')');
        if (end == std::string::npos) break;
        up = std::stoi(stat.substr(end + 4));
      }
    }
    return found;
  }
  std::vector<pid_t> AwaitServers(std::size_t count) const {
    std::vector<pid_t> servers = Servers();
    for (int i = 0; i < 4'000 && servers.size() != count; ++i) {
      usleep(5'000);
      servers = Servers();
    }
    return servers;
  }

  // Says SET mark ahead to a server in its cell, once it listens there.
  static bool Mark(pid_t server) {
    const pid_t child = fork();
    if (child == 0) {
      const int net = open(
          ("/proc/" + std::to_string(server) + "/ns/net").c_str(), O_RDONLY);
      if (setns(net, CLONE_NEWNET) != 0) _exit(1);
      sockaddr_in address{.sin_family = AF_INET,
                          .sin_port = htons(6379),
                          .sin_addr = {htonl(INADDR_LOOPBACK)},
                          .sin_zero = {}};
      int peer = -1;
      for (int i = 0; i < 4'000; ++i) {
        peer = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(peer, reinterpret_cast<sockaddr*>(&address),
                    sizeof address) == 0)
          break;
        close(peer);
        usleep(5'000);
      }
      constexpr std::string_view kSet = "SET mark ahead\r\n";
      char answer[5];
      if (write(peer, kSet.data(), kSet.size()) < 0 ||
          read(peer, answer, 5) != 5)
        _exit(2);
      _exit(std::string_view(answer, 5) == "+OK\r\n" ? 0 : 3);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

  testing::TemporaryDirectory directory_;
  const fs::path tree_ = directory_.path() / "tree";
  std::string run_program_;
  pid_t launcher_ = -1;
  std::unique_ptr<CellWorkshop> workshop_;
};

TEST_F(WorkshopTest, PrivateAddressesAreTheAdminsToGive) {
  EXPECT_THAT(PrivateEgress(*workshop_),
              ::testing::AllOf(::testing::HasSubstr("10.1.2.3:80"),
                               ::testing::HasSubstr("--allow-private-egress")));
  WorkshopPlaces places = Places();
  places.allow_private_egress = true;
  const fs::path bin = std::getenv("ASSAY_BIN_DIR");
  CellWorkshop generous(*sandbox::Launcher::Spawn(bin / "assay-launcher"),
                        places);
  EXPECT_EQ(PrivateEgress(generous), "");
}

TEST_F(WorkshopTest, WhatRunsAheadIsTheNextRunsAndNobodyElses) {
  EXPECT_FALSE(Marked(Run()));
  EXPECT_THAT(AwaitServers(0), IsEmpty());

  workshop_->PrepareAhead();
  const std::vector<pid_t> ahead = AwaitServers(1);
  ASSERT_EQ(ahead.size(), 1u);
  ASSERT_TRUE(Mark(ahead[0]));
  const auto second = Run();
  EXPECT_TRUE(Marked(second));
  // Ready before anything else was done.
  const auto phases = Phases(second);
  EXPECT_LT(std::ranges::find(phases, "-sidecars"),
            std::ranges::find(phases, "-materialise"));

  EXPECT_FALSE(Marked(Run()));
  EXPECT_THAT(AwaitServers(0), IsEmpty());
}

TEST_F(WorkshopTest, OneSetIsKeptAndGivenUpForARunThatIsNotLikeTheLast) {
  Run();
  workshop_->PrepareAhead();
  workshop_->PrepareAhead();
  EXPECT_EQ(AwaitServers(1).size(), 1u);
  workshop_->DropAhead();
  EXPECT_THAT(AwaitServers(0), IsEmpty());
  // Nothing has run since.
  workshop_->PrepareAhead();
  EXPECT_THAT(Servers(), IsEmpty());

  Run();
  workshop_->PrepareAhead();
  ASSERT_EQ(AwaitServers(1).size(), 1u);
  Run(false);
  EXPECT_THAT(AwaitServers(0), IsEmpty());
}

TEST_F(WorkshopTest, AServerThatDiedAheadIsReplaced) {
  Run();
  workshop_->PrepareAhead();
  const std::vector<pid_t> ahead = AwaitServers(1);
  ASSERT_EQ(ahead.size(), 1u);
  kill(ahead[0], SIGKILL);
  AwaitServers(0);
  const auto events = Run();
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.back().finished().outcome(), v1::Run::OUTCOME_COMPLETED)
      << events.back().finished().reason();
}

}  // namespace
}  // namespace assay::worker
