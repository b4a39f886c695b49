#include "tests/sandbox/sandbox_test.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>

namespace assay::sandbox {
namespace {

// Reads what is there; false at the end of the stream.
bool Drain(int fd, std::string& into) {
  char buffer[65536];
  while (true) {
    const ssize_t n = ::read(fd, buffer, sizeof(buffer));
    if (n == 0) return false;
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    into.append(buffer, static_cast<std::size_t>(n));
  }
}

// A test program that crashed cannot clean up after itself; the next one does.
void RemoveWhatCrashesLeft() {
  std::error_code ignored;
  const std::string prefix = "assay-sandbox-";
  for (const auto& entry :
       std::filesystem::directory_iterator(testing::TempDir(), ignored)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(prefix)) continue;
    const int pid = std::atoi(name.c_str() + prefix.size());
    if (pid <= 0 || ::kill(pid, 0) == 0) continue;
    std::filesystem::remove_all(entry.path(), ignored);
  }
}

}  // namespace

std::string StarterName(const testing::TestParamInfo<Starter>& info) {
  return info.param == Starter::kRoot ? "Root" : "User";
}

TempDirectory::TempDirectory() {
  static std::once_flag once;
  std::call_once(once, RemoveWhatCrashesLeft);
  std::string path = testing::TempDir() + "assay-sandbox-" +
                     std::to_string(::getpid()) + "-XXXXXX";
  path_ = ::mkdtemp(path.data());
  ::chmod(path_.c_str(), 0755);
}

TempDirectory::~TempDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempDirectory::Write(const std::string& name,
                                 std::string_view content,
                                 unsigned mode) const {
  const std::string path = path_ + "/" + name;
  std::ofstream(path) << content;
  ::chmod(path.c_str(), mode);
  return path;
}

std::string SandboxTest::LauncherPath() {
  // Another one than the product's: defence_test.
  if (const char* other = std::getenv("ASSAY_LAUNCHER")) return other;
  const char* folder = std::getenv("ASSAY_BIN_DIR");
  return std::string(folder != nullptr ? folder : "bin") + "/assay-launcher";
}

void SandboxTest::SetUp() {
  ASSERT_EQ(::geteuid(), 0u) << "these tests run as root, and as an ordinary "
                                "user from there";
  std::string path = LauncherPath();
  if (rootless()) {
    const std::string copy = directory_.path() + "/assay-launcher";
    std::filesystem::copy_file(path, copy);
    const std::string uid = std::to_string(kTestUid);
    path = directory_.Write("launcher",
                            "#!/bin/sh\nexec setpriv --reuid=" + uid +
                                " --regid=" + uid + " --clear-groups " + copy +
                                "\n",
                            0755);
  }
  // The launcher gets no environment, so what it shall do without is told by
  // whoever starts it.
  if (const char* without = std::getenv("ASSAY_WITHOUT")) {
    path = directory_.Write("weakened",
                            std::string("#!/bin/sh\nASSAY_WITHOUT=") + without +
                                " exec " + path + "\n",
                            0755);
  }
  auto launcher = Launcher::Spawn(path);
  ASSERT_TRUE(launcher) << launcher.error();
  launcher_ = std::make_unique<Launcher>(*std::move(launcher));
  if (std::getenv("ASSAY_EXPECT_LIMITS") == nullptr) return;
  for (const Weakness weakness :
       {Weakness::kMemory, Weakness::kPids, Weakness::kCores,
        Weakness::kTreeKill, Weakness::kCpuTime, Weakness::kFreeze}) {
    ASSERT_TRUE(Enforces(weakness)) << WeaknessName(weakness);
  }
}

void SandboxTest::TearDown() {
  if (!launcher_) return;
  LauncherStats stats;
  EXPECT_TRUE(Eventually([&] {
    const auto now = launcher_->Stats();
    if (!now) return false;
    stats = *now;
    return stats.sessions == 0 && stats.cells == 0 && stats.processes == 0;
  })) << stats.sessions
      << " sessions, " << stats.cells << " cells and " << stats.processes
      << " processes are left";
}

bool SandboxTest::Enforces(Weakness weakness) const {
  return (launcher_->weaker() & static_cast<std::uint32_t>(weakness)) == 0;
}

int TimeFactor() {
  const char* factor = std::getenv("ASSAY_TIME_FACTOR");
  return factor == nullptr ? 1 : std::atoi(factor);
}

ProcessSpec SandboxTest::Shell(std::string script) {
  return {.name = "shell", .arguments = {"/bin/sh", "-c", std::move(script)}};
}

CellSpec SandboxTest::CellOf(std::vector<ProcessSpec> processes) {
  return {.name = "test", .processes = std::move(processes)};
}

SessionSpec SandboxTest::SessionOf(CellSpec cell) {
  SessionSpec spec;
  spec.cells.push_back(std::move(cell));
  return spec;
}

Session SandboxTest::NewSession(const SessionSpec& spec) {
  auto socket = launcher_->CreateSession(spec);
  EXPECT_TRUE(socket) << socket.error();
  return Session(socket ? *std::move(socket) : UniqueFd());
}

Outcome SandboxTest::Run(std::string script) {
  return Run(CellOf({Shell(std::move(script))}));
}

Outcome SandboxTest::Run(CellSpec cell) {
  Session session = NewSession(SessionOf(std::move(cell)));
  auto started = session.StartCell(0);
  EXPECT_TRUE(started) << started.error();
  return started ? RunIn(*started) : Outcome{};
}

Outcome SandboxTest::RunIn(Cell& cell, std::uint32_t index) {
  auto process = cell.Start(index);
  EXPECT_TRUE(process) << process.error();
  return process ? Collect(*process) : Outcome{};
}

Outcome SandboxTest::Collect(Process& process) {
  Outcome outcome;
  bool out_open = true;
  bool err_open = true;
  while (true) {
    pollfd fds[] = {{process.exit_fd(), POLLIN, 0},
                    {out_open ? process.stdout_fd() : -1, POLLIN, 0},
                    {err_open ? process.stderr_fd() : -1, POLLIN, 0}};
    ::poll(fds, 3, 60'000);
    // The end first: what was written before it is in the pipes by now.
    const auto termination = process.TakeTermination();
    if (out_open) out_open = Drain(process.stdout_fd(), outcome.out);
    if (err_open) err_open = Drain(process.stderr_fd(), outcome.err);
    if (termination) {
      outcome.termination = *termination;
      return outcome;
    }
  }
}

std::string ReadFile(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream content;
  content << in.rdbuf();
  return std::move(content).str();
}

}  // namespace assay::sandbox
