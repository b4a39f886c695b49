#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>

#include "sandbox/cell/message_socket.h"
#include "sandbox/cell/protocol.h"
#include "tests/sandbox/sandbox_test.h"

namespace assay::sandbox {
namespace {

// Directories of this launcher's cells, in every hierarchy of the machine.
std::set<std::string> CellCgroups(pid_t launcher) {
  std::set<std::string> found;
  const std::string base = "assay-" + std::to_string(launcher);
  const auto options =
      std::filesystem::directory_options::skip_permission_denied;
  std::error_code error;
  for (auto it = std::filesystem::recursive_directory_iterator("/sys/fs/cgroup",
                                                               options, error);
       it != std::filesystem::recursive_directory_iterator();
       it.increment(error)) {
    if (!it->is_directory(error)) continue;
    const std::string path = it->path();
    const auto at = path.find(base + "/");
    if (at != std::string::npos) found.insert(path);
  }
  return found;
}

// Pids of processes whose parent is `parent`.
std::set<std::string> ChildrenOf(pid_t parent) {
  std::set<std::string> pids;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (ReadFile(entry.path() / "status")
            .find("PPid:\t" + std::to_string(parent) + "\n") !=
        std::string::npos) {
      pids.insert(name);
    }
  }
  return pids;
}

std::size_t CountFds(pid_t pid) {
  std::size_t count = 0;
  const std::string path = "/proc/" + std::to_string(pid) + "/fd";
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    (void)entry;
    ++count;
  }
  return count;
}

// Descriptors of a process that keep a namespace of this kind alive, beside the
// one that it is in itself.
int HeldNamespaces(pid_t pid, const std::string& kind) {
  const std::string proc = "/proc/" + std::to_string(pid);
  const auto own = std::filesystem::read_symlink(proc + "/ns/" + kind);
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(proc + "/fd")) {
    std::error_code error;
    const auto link = std::filesystem::read_symlink(entry.path(), error);
    if (link != own && link.string().starts_with(kind + ":[")) ++count;
  }
  return count;
}

class TeardownTest : public SandboxTest {
 protected:
  // The launcher itself: Spawn starts it through a shell and setpriv, which
  // both become it by exec.
  pid_t pid() const { return launcher_->pid(); }
  std::string Mounts() const {
    return ReadFile("/proc/" + std::to_string(pid()) + "/mountinfo");
  }
};
ASSAY_SANDBOX_SUITE(TeardownTest);

// The launcher lives where files of the machine can only be made in folders
// that are empty, as those are where a program leaves things behind: what is in
// there at the end is its doing. All others are read-only to it.
class LeftoversTest : public TeardownTest {
 protected:
  void SetUp() override {
    outside_.Reset(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
    ASSERT_TRUE(outside_);
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    const std::string bin =
        std::filesystem::absolute(LauncherPath()).parent_path();
    const auto copy = [](const std::string& path) {
      return UniqueFd(::open_tree(AT_FDCWD, path.c_str(),
                                  OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
    };
    const UniqueFd programs = copy(bin);
    const UniqueFd own = copy(scratch().path());
    SetReadOnly("/", true);
    for (const char* kernels : {"/proc", "/sys/fs/cgroup"}) {
      SetReadOnly(kernels, false);
    }
    for (const auto& folder : Folders()) {
      ASSERT_EQ(::mount("none", folder.c_str(), "tmpfs", 0, "mode=1777"), 0)
          << folder;
    }
    // Those are in one of them in somebody's checkout.
    if (!std::filesystem::exists(bin)) PutBack(programs, bin);
    PutBack(own, scratch().path());
    known_ = Files();
    TeardownTest::SetUp();
  }

  void TearDown() override {
    TeardownTest::TearDown();
    launcher_.reset();
    ASSERT_EQ(::setns(outside_.get(), CLONE_NEWNS), 0);
  }

  // Of all those folders, but for what the test itself has put there.
  std::set<std::string> Files() const {
    std::set<std::string> files;
    for (const auto& folder : Folders()) {
      for (const auto& entry :
           std::filesystem::recursive_directory_iterator(folder)) {
        const std::string path = entry.path();
        if (!path.starts_with(scratch().path()) && !known_.contains(path)) {
          files.insert(path);
        }
      }
    }
    return files;
  }

 private:
  // That there are: a small machine has not all of them.
  static std::set<std::string> Folders() {
    std::set<std::string> folders;
    for (const char* name : {"/tmp", "/var/tmp", "/run", "/dev/shm"}) {
      std::error_code missing;
      const auto folder = std::filesystem::canonical(name, missing);
      if (!missing) folders.insert(folder);
    }
    return folders;
  }

  static void PutBack(const UniqueFd& tree, const std::string& path) {
    std::filesystem::create_directories(path);
    ASSERT_EQ(::move_mount(tree.get(), "", AT_FDCWD, path.c_str(),
                           MOVE_MOUNT_F_EMPTY_PATH),
              0)
        << path;
  }

  static void SetReadOnly(const char* path, bool on) {
    mount_attr attr = {};
    (on ? attr.attr_set : attr.attr_clr) = MOUNT_ATTR_RDONLY;
    ASSERT_EQ(
        ::mount_setattr(AT_FDCWD, path, AT_RECURSIVE, &attr, sizeof(attr)), 0)
        << path;
  }

  UniqueFd outside_;
  std::set<std::string> known_;
};
ASSAY_SANDBOX_SUITE(LeftoversTest);

TEST_P(LeftoversTest, NothingIsLeftAfterManyCells) {
  SessionSpec spec;
  spec.volumes.push_back({});
  CellSpec cell = CellOf({Shell("echo x > /work/f; sleep 1000 & exit 0")});
  cell.mounts = {VolumeMount{}, TmpfsMount{.target = "/t"}};
  spec.cells.push_back(cell);
  // A folder of the machine's below a layer of the cell's own.
  cell = CellOf({Shell("echo x > /layer/g && rm /layer/f && sleep 1000 &")});
  scratch().Write("f", "original");
  cell.mounts = {
      OverlayMount{.lower = {.path = scratch().path()}, .target = "/layer"}};
  spec.cells.push_back(cell);
  // The first session may bring things that stay, such as the map of its uid.
  const auto run = [&](std::uint32_t cells) {
    Session session = NewSession(spec);
    for (std::uint32_t i = 0; i < cells; ++i) {
      auto started = session.StartCell(i / 2 % 2);
      ASSERT_TRUE(started) << started.error();
      EXPECT_TRUE(RunIn(*started).termination.Succeeded());
      if (i % 2 == 0) {
        EXPECT_TRUE(started->Destroy());
      }
    }
  };
  const auto idle = [&] {
    const auto stats = launcher_->Stats();
    return stats && stats->sessions == 0;
  };
  run(1);
  ASSERT_TRUE(Eventually(idle));
  const std::string mounts = Mounts();
  const std::size_t fds = CountFds(pid());
  // By command more: ASSAY_CELLS=10000.
  const char* many = std::getenv("ASSAY_CELLS");
  const int sessions = many != nullptr ? std::atoi(many) / 20 : 10;
  for (int i = 0; i < sessions; ++i) run(20);
  ASSERT_TRUE(Eventually(idle));
  // What others of this machine take away goes from here as well.
  std::istringstream lines(Mounts());
  for (std::string line; std::getline(lines, line);) {
    EXPECT_THAT(mounts, testing::HasSubstr(line + "\n"));
  }
  // Ids of other uids are kept mapped, one descriptor each.
  EXPECT_LE(CountFds(pid()), fds + static_cast<std::size_t>(sessions));
  for (const char* ns : {"mnt", "net", "pid", "ipc", "uts", "cgroup"}) {
    EXPECT_EQ(HeldNamespaces(pid(), ns), 0) << ns;
  }
  EXPECT_THAT(ChildrenOf(pid()), testing::IsEmpty());
  EXPECT_THAT(CellCgroups(pid()), testing::IsEmpty());
  EXPECT_THAT(Files(), testing::IsEmpty());
}

TEST_P(TeardownTest, ClosingTheSessionKillsItsCells) {
  {
    Session session = NewSession(SessionOf(CellOf({Shell("sleep 1000")})));
    auto cell = session.StartCell(0);
    ASSERT_TRUE(cell) << cell.error();
    auto process = cell->Start(0);
    ASSERT_TRUE(process) << process.error();
    EXPECT_EQ(ChildrenOf(pid()).size(), 2u);
  }
  EXPECT_TRUE(Eventually([&] { return ChildrenOf(pid()).empty(); }));
}

TEST_P(TeardownTest, DestroyReturnsWhenNothingIsLeft) {
  Session session = NewSession(SessionOf(CellOf({Shell("sleep 1000")})));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  auto process = cell->Start(0);
  ASSERT_TRUE(process) << process.error();
  ASSERT_TRUE(cell->Destroy());
  EXPECT_THAT(ChildrenOf(pid()), testing::IsEmpty());
  EXPECT_THAT(CellCgroups(pid()), testing::IsEmpty());
  EXPECT_EQ(process->TakeTermination()->ending, Ending(Signalled{SIGKILL}));
  EXPECT_FALSE(cell->Start(0));
}

TEST_P(TeardownTest, DeathOfTheLauncherKillsItsCells) {
  Session session = NewSession(SessionOf(CellOf({Shell("sleep 1000")})));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  auto process = cell->Start(0);
  ASSERT_TRUE(process) << process.error();
  const auto children = ChildrenOf(pid());
  ASSERT_EQ(children.size(), 2u);
  ::kill(pid(), SIGKILL);
  EXPECT_TRUE(Eventually([&] {
    for (const auto& child : children) {
      const std::string status = ReadFile("/proc/" + child + "/status");
      if (!status.empty() && status.find("Z (zombie)") == std::string::npos) {
        return false;
      }
    }
    return true;
  }));
  EXPECT_EQ(process->Wait()->ending,
            Ending(SetupFault{SetupStep::kLauncherGone, 0}));
  EXPECT_EQ(cell->Start(0).error().code, Code::kUnavailable);
  launcher_.reset();
}

TEST_P(TeardownTest, DeathOfTheCellsInitEndsTheCell) {
  Session session =
      NewSession(SessionOf(CellOf({Shell("echo on; exec sleep 1000")})));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  const auto init = ChildrenOf(pid());
  ASSERT_EQ(init.size(), 1u);
  auto process = cell->Start(0);
  ASSERT_TRUE(process) << process.error();
  // On its way in it would tell that there is no cell any more.
  char byte = 0;
  ASSERT_TRUE(
      Eventually([&] { return ::read(process->stdout_fd(), &byte, 1) == 1; }));
  ::kill(std::stoi(*init.begin()), SIGKILL);
  EXPECT_EQ(process->Wait()->ending, Ending(Signalled{SIGKILL}));
  EXPECT_TRUE(Eventually([&] { return !cell->Start(0); }));
}

TEST_P(TeardownTest, MalformedMessageEndsTheSessionOnly) {
  const SessionSpec spec = SessionOf(CellOf({Shell("true")}));
  auto broken = launcher_->CreateSession(spec);
  ASSERT_TRUE(broken) << broken.error();
  ASSERT_EQ(::send(broken->get(), "?", 1, MSG_NOSIGNAL), 1);
  char byte = 0;
  EXPECT_EQ(::recv(broken->get(), &byte, 1, 0), 0);
  EXPECT_TRUE(Run("true").termination.Succeeded());
}

TEST_P(TeardownTest, SessionCannotMakeCallsOfTheWorker) {
  auto socket = launcher_->CreateSession(SessionOf(CellOf({Shell("true")})));
  ASSERT_TRUE(socket) << socket.error();
  const Call call = {.type = CallType::kCreateSession};
  ASSERT_TRUE(SendRecord(socket->get(), &call, sizeof(call)));
  char byte = 0;
  EXPECT_EQ(::recv(socket->get(), &byte, 1, 0), 0);
}

TEST_P(TeardownTest, LauncherIsSmall) {
  EXPECT_TRUE(Run("true").termination.Succeeded());
  EXPECT_LT(launcher_->Stats()->resident_bytes, 3 << 20);
}

TEST_P(TeardownTest, SpecThatBreaksARuleIsRefusedWithItsName) {
  CellSpec cell = CellOf({Shell("true")});
  cell.name = "service:api";
  cell.mounts = {TmpfsMount{.target = "/a/../b"}};
  const auto session = launcher_->CreateSession(SessionOf(cell));
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, Code::kInvalidArgument);
  EXPECT_THAT(session.error().message, testing::HasSubstr("service:api"));
  EXPECT_THAT(session.error().message, testing::HasSubstr("/a/../b"));
}

}  // namespace
}  // namespace assay::sandbox
