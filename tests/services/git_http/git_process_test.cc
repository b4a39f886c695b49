#include "services/git_http/git_process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>

#include "tests/testing/event_loop.h"
#include "tests/testing/matchers.h"
#include "tests/testing/temporary_directory.h"

namespace assay::git_http {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;

class GitProcessTest : public ::testing::Test {
 protected:
  struct Ended {
    std::string output;
    Status status;
  };

  boost::asio::awaitable<Ended> RunToEnd(GitCommand command) {
    auto git = GitProcess::Start(loop_.executor(), command);
    if (!git) co_return Ended{"", std::unexpected(git.error())};
    Ended ended;
    std::array<char, 4096> buffer;
    for (;;) {
      const auto count = co_await (*git)->ReadSome(buffer);
      if (!count || *count == 0) break;
      ended.output.append(buffer.data(), *count);
    }
    ended.status = co_await (*git)->Wait();
    co_return ended;
  }
  Ended Run(GitCommand command) {
    return loop_.Await(RunToEnd(std::move(command)));
  }

  testing::EventLoop loop_;
  const testing::TemporaryDirectory directory_;
};

TEST_F(GitProcessTest, RunsWithFixedConfigurationAndNoneOfTheHosts) {
  // In every way that a host's settings reach git.
  const std::string home = directory_.path().string();
  std::ofstream(directory_.path() / ".gitconfig") << "[planted]\n\tby = host\n";
  const std::map<std::string, std::string> planted = {
      {"GIT_CONFIG_COUNT", "1"},
      {"GIT_CONFIG_KEY_0", "planted.by"},
      {"GIT_CONFIG_VALUE_0", "environment"},
      {"HOME", home},
      {"GIT_CONFIG_GLOBAL", home + "/.gitconfig"},
      {"GIT_CONFIG_SYSTEM", home + "/.gitconfig"}};
  std::map<std::string, std::string> before;
  for (const auto& [name, value] : planted) {
    if (const char* present = getenv(name.c_str())) before[name] = present;
    setenv(name.c_str(), value.c_str(), 1);
  }
  const Ended ended = Run({.arguments = {"config", "--list", "--null"},
                           .config = {"receive.maxInputSize=77"}});
  // The repository's path is an argument too many here; what counts is how
  // the program was started, so ask git itself for one value.
  EXPECT_THAT(ended.status, Not(IsOk()));
  const Ended value = Run({.arguments = {"config", "--get"},
                           .repository = "receive.maxInputSize",
                           .config = {"receive.maxInputSize=77"}});
  EXPECT_EQ(value.output, "77\n");
  EXPECT_EQ(
      Run({.arguments = {"config", "--get"}, .repository = "core.hooksPath"})
          .output,
      "/dev/null\n");
  // Nothing is acknowledged that the power could take.
  EXPECT_EQ(Run({.arguments = {"config", "--get"}, .repository = "core.fsync"})
                .output,
            "all\n");
  EXPECT_EQ(Run({.arguments = {"config", "--get"}, .repository = "planted.by"})
                .output,
            "");
  for (const auto& [name, value] : planted) {
    unsetenv(name.c_str());
    if (before.contains(name)) setenv(name.c_str(), before[name].c_str(), 1);
  }
}

TEST_F(GitProcessTest, FailureNamesTheLastComplaint) {
  const Ended ended = Run({.arguments = {"receive-pack"},
                           .repository = directory_.path() / "none"});
  EXPECT_THAT(ended.status,
              FailsWith(Code::kInternal, "does not appear to be a git"));
}

TEST_F(GitProcessTest, ReadsItsInputFromTheBeginning) {
  const int fd = open((directory_.path() / "in").c_str(),
                      O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_EQ(write(fd, "hello\n", 6), 6);
  // `git hash-object --stdin` with the path as a filter's name.
  const Ended ended = Run({.arguments = {"hash-object", "--stdin", "--path"},
                           .repository = "x",
                           .input = fd});
  close(fd);
  EXPECT_EQ(ended.output, "ce013625030ba8dba906f756967f9e9ca394464a\n");
}

TEST_F(GitProcessTest, IsStoppedWithAllItStartedWhenItsTimeIsOver) {
  const auto mark = directory_.path() / "child";
  const Ended ended = Run(
      {.arguments = {"-c",
                     "alias.x=!echo $$ > " + mark.string() + "; sleep 1000 #",
                     "x"},
       .time_limit = std::chrono::seconds(1)});
  EXPECT_THAT(ended.status, FailsWith(Code::kInternal, "too long"));
  std::ifstream file(mark);
  int pid = 0;
  file >> pid;
  ASSERT_GT(pid, 0);
  // Gone, or a zombie of init's that is about to be.
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string id, name, state;
  if (stat >> id >> name >> state) EXPECT_EQ(state, "Z");
}

TEST_F(GitProcessTest, LimitsHold) {
  const Ended ended =
      Run({.arguments = {"-c",
                         "alias.x=!head -c 1000000 /dev/zero > " +
                             (directory_.path() / "big").string() + " #",
                         "x"},
           .max_file_bytes = 1'000});
  EXPECT_THAT(ended.status, Not(IsOk()));
  EXPECT_LE(std::filesystem::file_size(directory_.path() / "big"), 1'000);
}

TEST_F(GitProcessTest, InheritsNoDescriptorOfOurs) {
  const int leaked = open("/dev/null", O_RDONLY);  // without close-on-exec
  const Ended ended =
      Run({.arguments = {"-c", "alias.x=!ls /proc/$$/fd #", "x"}});
  close(leaked);
  EXPECT_THAT(ended.status, IsOk());
  EXPECT_THAT(ended.output, Not(HasSubstr(std::to_string(leaked) + "\n")));
}

}  // namespace
}  // namespace assay::git_http
