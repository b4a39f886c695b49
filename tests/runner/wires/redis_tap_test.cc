// The tap between real clients and a real Redis.

#include "runner/wires/redis_tap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/testing/postgres_server.h"

namespace assay::wires {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class Recorder final : public RedisListener {
 public:
  std::uint64_t Mark() override { return 0; }
  void OnRedis(int, const RedisEvent& event) override {
    if (const auto* c = std::get_if<RedisCommand>(&event)) {
      std::string text = c->name;
      for (const auto& argument : c->arguments) text += " " + argument;
      if (!c->error.empty()) text += " !" + c->error.substr(0, 9);
      told.push_back(text);
    } else if (const auto* m = std::get_if<RedisMessage>(&event)) {
      told.push_back("message on " + m->channel);
    } else {
      fallbacks.push_back(std::get<RedisFellBack>(event).reason);
    }
  }
  std::vector<std::string> told;
  std::vector<std::string> fallbacks;
};

class RedisTapTest : public testing::Test {
 protected:
  // A server on a port that was free a moment ago, until it says it is ready.
  void SetUp() override {
    auto taken = network_.Listen(0);
    ASSERT_TRUE(taken.has_value());
    const std::uint16_t port = PortOf(taken->get());
    taken->Reset();
    directory_ = std::filesystem::temp_directory_path() /
                 ("assay-redis-" + std::to_string(getpid()));
    std::filesystem::create_directories(directory_);
    const std::string text = std::to_string(port);
    const std::string dir = directory_.string();
    const std::vector<std::string> words = {"redis-server",
                                            "--port",
                                            text,
                                            "--bind",
                                            "127.0.0.1",
                                            "--save",
                                            "",
                                            "--dir",
                                            dir,
                                            "--daemonize",
                                            "no",
                                            "--logfile",
                                            (directory_ / "log").string()};
    std::vector<char*> argv;
    for (const auto& word : words)
      argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    ASSERT_EQ(posix_spawnp(&server_, "redis-server", nullptr, nullptr,
                           argv.data(), environ),
              0);
    for (int i = 0; i < 200; ++i) {
      const auto ping = tests::RunProgram({"redis-cli", "-p", text, "PING"});
      if (ping.text == "PONG\n") break;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    auto listening = network_.Listen(0);
    ASSERT_TRUE(listening.has_value());
    port_ = std::to_string(PortOf(listening->get()));
    tap_.emplace(io_.get_executor(), *std::move(listening), network_, port,
                 recorder_);
    thread_ = std::thread([this] { io_.run(); });
  }
  void Stop() {
    if (!thread_.joinable()) return;
    boost::asio::post(io_, [this] { tap_.reset(); });
    thread_.join();
  }
  void TearDown() override {
    Stop();
    if (server_ > 0) {
      kill(server_, SIGKILL);
      waitpid(server_, nullptr, 0);
    }
    std::filesystem::remove_all(directory_);
  }

  HostNetwork network_;
  Recorder recorder_;
  boost::asio::io_context io_;
  std::optional<RedisTap> tap_;
  std::string port_;
  std::thread thread_;
  pid_t server_ = -1;
  std::filesystem::path directory_;
};

TEST_F(RedisTapTest, RedisCliInBothProtocols) {
  for (const std::string version : {"-2", "-3"}) {
    EXPECT_EQ(
        tests::RunProgram({"redis-cli", version, "-p", port_, "SET", "k", "v"})
            .text,
        "OK\n");
    EXPECT_EQ(tests::RunProgram(
                  {"redis-cli", version, "-p", port_, "HSET", "k", "f", "1"})
                  .exit_code,
              0);
    tests::RunProgram(
        {"redis-cli", version, "-p", port_, "CONFIG", "GET", "max*"});
  }
  Stop();
  EXPECT_THAT(recorder_.fallbacks, IsEmpty());
  EXPECT_THAT(recorder_.told, Contains("SET k v").Times(2));
  EXPECT_THAT(recorder_.told, Contains("HSET k f 1 !WRONGTYPE").Times(2));
  EXPECT_THAT(recorder_.told, Contains("CONFIG GET max*").Times(2));
}

TEST_F(RedisTapTest, ANodeClientPipelinesAndSubscribes) {
  const std::string path = (directory_ / "client.js").string();
  std::ofstream(path) << R"js(
const net = require('net');
const words = (...w) => `*${w.length}\r\n` + w.map(x => `$${Buffer.byteLength(x)}\r\n${x}\r\n`).join('');
const port = +process.argv[2];
const sub = net.connect(port, '127.0.0.1', () => sub.write(words('SUBSCRIBE', 'news')));
let text = '';
sub.on('data', d => {
  text += d;
  if (text.includes('subscribe') && !pub) start();
  if (text.includes('hello')) { console.log('heard'); sub.destroy(); }
});
let pub = null;
function start() {
  pub = net.connect(port, '127.0.0.1', () => pub.write(
    words('MULTI') + words('INCR', 'n') + words('INCR', 'n') + words('EXEC') + words('PUBLISH', 'news', 'hello') + words('QUIT')));
  pub.on('data', () => {});
}
)js";
  EXPECT_EQ(tests::RunProgram({"node", path, port_}).text, "heard\n");
  Stop();
  EXPECT_THAT(recorder_.fallbacks, IsEmpty());
  EXPECT_THAT(recorder_.told,
              testing::UnorderedElementsAre(
                  "SUBSCRIBE news", "MULTI", "INCR n", "INCR n", "EXEC",
                  "PUBLISH news hello", "QUIT", "message on news"));
}

TEST_F(RedisTapTest, MonitorPassesUnseen) {
  const std::string path = (directory_ / "monitor.py").string();
  std::ofstream(path) << R"py(
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"MONITOR\r\n")
print(s.recv(9))
)py";
  EXPECT_EQ(tests::RunProgram({"python3", path, port_}).text, "b'+OK\\r\\n'\n");
  Stop();
  EXPECT_THAT(recorder_.fallbacks, Contains(HasSubstr("MONITOR")));
}

}  // namespace
}  // namespace assay::wires
