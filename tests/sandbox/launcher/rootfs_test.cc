#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <filesystem>

#include "sandbox/cell/tree_archive.h"
#include "tests/sandbox/sandbox_test.h"

namespace assay::sandbox {
namespace {

using testing::HasSubstr;
using testing::Not;

class RootfsTest : public SandboxTest {
 protected:
  void SetUp() override {
    SandboxTest::SetUp();
    // Host directories belong to whoever started the launcher.
    if (rootless()) Own(directory_.path());
  }
  void Own(const std::string& path) const {
    const unsigned uid = rootless() ? kTestUid : 0;
    ASSERT_EQ(::lchown(path.c_str(), uid, uid), 0);
  }
  TempDirectory directory_;
};
ASSAY_SANDBOX_SUITE(RootfsTest);

TEST_P(RootfsTest, ProgramRunsAsAnUnprivilegedUser) {
  const Outcome outcome = Run(
      "id -u; id -g; grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status");
  EXPECT_EQ(outcome.out,
            "1000\n1000\nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n"
            "CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n"
            "CapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n");
}

TEST_P(RootfsTest, ProgramRunsAtOrdinaryPriorityAndCannotLeaveIt) {
  // Fields of stat: nice, real-time priority, policy.
  EXPECT_EQ(Run("chrt -f 1 true 2>/dev/null || chrt -r 1 true 2>/dev/null || "
                "cut -d' ' -f19,40,41 /proc/self/stat; ulimit -r")
                .out,
            "0 0 0\n0\n");
}

TEST_P(RootfsTest, HostFilesAndProcessesAreOutOfSight) {
  const std::string canary = "canary-" + std::to_string(::getpid());
  directory_.Write("secret", canary);
  const Outcome outcome =
      Run("ls -a /; ls -a " + directory_.path() +
          "; cat /etc/passwd /etc/hosts; ls /sys /root /home /run /var; env; "
          "cat /proc/*/cmdline /proc/*/environ; ls /proc; hostname");
  EXPECT_THAT(outcome.out, Not(HasSubstr(canary)));
  EXPECT_THAT(outcome.out, Not(HasSubstr("launcher")));
  EXPECT_THAT(outcome.out, Not(HasSubstr("ASSAY")));
  EXPECT_THAT(outcome.err, HasSubstr("cannot access '/sys'"));
  EXPECT_THAT(outcome.out, HasSubstr("cell\n"));
}

// Below it the old root stands while a cell is built.
TEST_P(RootfsTest, DevHoldsTheCellsOwnDevicesOnly) {
  EXPECT_EQ(Run("ls /dev").out,
            "fd\nfull\nnull\nrandom\nshm\nstderr\nstdin\nstdout\nurandom\n"
            "zero\n");
}

TEST_P(RootfsTest, RootIsOneReadOnlyMount) {
  EXPECT_EQ(Run("grep ' / / ' /proc/self/mountinfo | cut -d' ' -f6 | "
                "cut -d, -f1,2,3")
                .out,
            "ro,nosuid,nodev\n");
}

TEST_P(RootfsTest, OnlyScratchIsWritable) {
  const Outcome outcome =
      Run("for d in / /usr /etc /dev /proc /run /var /home /tmp /dev/shm; do "
          "touch $d/x 2>/dev/null && echo $d; done");
  EXPECT_EQ(outcome.out, "/tmp\n/dev/shm\n");
}

TEST_P(RootfsTest, SensitiveFilesOfProcAreEmpty) {
  EXPECT_EQ(Run("cat /proc/kallsyms /proc/keys /proc/timer_list "
                "/proc/cmdline | wc -c")
                .out,
            "0\n");
}

TEST_P(RootfsTest, NothingOfTheLauncherIsInherited) {
  // 0, 1, 2, and the one that reads the directory.
  EXPECT_EQ(Run("ls /proc/self/fd").out, "0\n1\n2\n3\n");
}

TEST_P(RootfsTest, OnlyLoopbackExists) {
  EXPECT_EQ(Run("tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '").out,
            "lo\n");
}

TEST_P(RootfsTest, VolumeIsSharedByTwoCellsOfASession) {
  SessionSpec spec;
  spec.volumes.push_back({.bytes = 1 << 20, .inodes = 100});
  for (const char* script :
       {"mkdir /work/d; echo built > /work/d/f; chmod 600 /work/d/f",
        "cat /work/d/f; echo more >> /work/d/f; head -c 2M /dev/zero > "
        "/work/x"}) {
    CellSpec cell = CellOf({Shell(script)});
    cell.mounts = {VolumeMount{.volume = 0, .target = "/work"}};
    spec.cells.push_back(cell);
  }
  Session session = NewSession(spec);
  auto build = session.StartCell(0);
  ASSERT_TRUE(build) << build.error();
  const Outcome built = RunIn(*build);
  EXPECT_TRUE(built.termination.Succeeded()) << built.err;
  EXPECT_TRUE(build->Destroy());
  auto service = session.StartCell(1);
  ASSERT_TRUE(service) << service.error();
  const Outcome served = RunIn(*service);
  EXPECT_EQ(served.out, "built\n");
  EXPECT_THAT(served.err, HasSubstr("No space left"));
}

TEST_P(RootfsTest, VolumesOfSessionsAreApart) {
  SessionSpec spec;
  spec.volumes.push_back({});
  CellSpec cell = CellOf({Shell("ls /work; touch /work/f")});
  cell.mounts = {VolumeMount{}};
  spec.cells.push_back(cell);
  Session one = NewSession(spec);
  Session two = NewSession(spec);
  for (Session* session : {&one, &two}) {
    auto started = session->StartCell(0);
    ASSERT_TRUE(started) << started.error();
    EXPECT_EQ(RunIn(*started).out, "");
  }
}

TEST_P(RootfsTest, ReadOnlyBindShowsFilesAndKeepsThem) {
  Own(directory_.Write("f", "from outside", 0600));
  CellSpec cell =
      CellOf({Shell("cat /data/f; stat -c ' %u' /data/f; "
                    "echo x > /data/f || rm -f /data/f")});
  cell.mounts = {
      BindMount{.source = {.path = directory_.path()}, .target = "/data"}};
  const Outcome outcome = Run(cell);
  EXPECT_EQ(outcome.out, "from outside 1000\n");
  EXPECT_FALSE(outcome.termination.Succeeded());
  EXPECT_EQ(ReadFile(directory_.path() + "/f"), "from outside");
}

TEST_P(RootfsTest, WritableBindGivesFilesToTheWorkersUser) {
  CellSpec cell = CellOf({Shell("echo made > /data/f")});
  const UniqueFd fd(
      ::open(directory_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  cell.mounts = {BindMount{.source = {.fd = fd.get()},
                           .target = "/data",
                           .writable = AllowHostWrites{}}};
  const Outcome outcome = Run(cell);
  EXPECT_TRUE(outcome.termination.Succeeded()) << outcome.err;
  EXPECT_EQ(ReadFile(directory_.path() + "/f"), "made\n");
  struct stat info;
  ASSERT_EQ(::stat((directory_.path() + "/f").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, rootless() ? kTestUid : 0u);
}

TEST_P(RootfsTest, SingleFileCanBeBound) {
  Own(directory_.Write("f", "one file"));
  CellSpec cell = CellOf({Shell("cat /data/deep/g")});
  cell.mounts = {BindMount{.source = {.path = directory_.path() + "/f"},
                           .target = "/data/deep/g"}};
  EXPECT_EQ(Run(cell).out, "one file");
}

TEST_P(RootfsTest, OverlayTakesChangesAndKeepsTheOriginal) {
  Own(directory_.Write("f", "original", 0600));
  Own(directory_.Write("gone", "x"));
  CellSpec cell = CellOf({Shell(
      "cat /d/f; echo changed > /d/f; rm /d/gone; touch /d/new; ls /d; stat -c "
      "'%u %a' /d; head -c 2M /dev/zero > /d/big")});
  cell.mounts = {OverlayMount{
      .lower = {.path = directory_.path()}, .target = "/d", .bytes = 1 << 20}};
  ASSERT_EQ(::chmod(directory_.path().c_str(), 0700), 0);
  const Outcome outcome = Run(cell);
  EXPECT_EQ(outcome.out, "originalf\nnew\n1000 700\n");
  EXPECT_THAT(outcome.err, HasSubstr("No space left"));
  EXPECT_EQ(ReadFile(directory_.path() + "/f"), "original");
  EXPECT_EQ(ReadFile(directory_.path() + "/gone"), "x");
}

TEST_P(RootfsTest, TmpfsMountIsOfItsSize) {
  CellSpec cell =
      CellOf({Shell("head -c 64K /dev/zero > /t/a && head -c 64K "
                    "/dev/zero > /t/b; stat -c %s /t/a")});
  cell.mounts = {TmpfsMount{.target = "/t", .bytes = 100 << 10}};
  const Outcome outcome = Run(cell);
  EXPECT_EQ(outcome.out, "65536\n");
  EXPECT_THAT(outcome.err, HasSubstr("No space left"));
}

class DirectoryRootTest : public RootfsTest {
 protected:
  void SetUp() override {
    RootfsTest::SetUp();
    std::filesystem::create_directories(root_ + "/bin");
    std::filesystem::create_directories(root_ + "/etc");
    // A program without libraries, so that the root needs nothing else.
    std::filesystem::copy_file("/bin/busybox", root_ + "/bin/busybox");
    std::filesystem::create_symlink("busybox", root_ + "/bin/sh");
    std::filesystem::create_symlink("bin", root_ + "/link");
    Own(directory_.Write("root/etc/motd", "original"));
  }
  CellSpec Busybox(const std::string& script) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(root_)) {
      Own(entry.path());
    }
    Own(root_);
    CellSpec cell;
    cell.name = "root";
    cell.root = DirectoryRoot{root_};
    cell.processes = {
        {.name = "sh", .arguments = {"/link/busybox", "sh", "-c", script}}};
    cell.processes[0].environment = {"PATH=/bin"};
    return cell;
  }
  const std::string root_ = directory_.path() + "/root";
};
ASSAY_SANDBOX_SUITE(DirectoryRootTest);

TEST_P(DirectoryRootTest, IsAllThatThereIs) {
  const Outcome outcome =
      Run(Busybox("busybox ls /; busybox stat -c '%u %a' /; busybox "
                  "readlink /proc/self/exe; echo x > /dev/null"));
  EXPECT_EQ(outcome.out,
            "bin\ndev\netc\nlink\nproc\ntmp\n1000 755\n/bin/busybox\n")
      << outcome.err;
}

TEST_P(DirectoryRootTest, TakesChangesAndKeepsTheOriginal) {
  const Outcome outcome = Run(Busybox(
      "echo changed > /etc/motd; echo new > /new; busybox rm /bin/sh; busybox "
      "mkdir -p /opt/a; busybox cat /etc/motd /new; busybox ls /opt"));
  EXPECT_EQ(outcome.out, "changed\nnew\na\n") << outcome.err;
  EXPECT_EQ(ReadFile(root_ + "/etc/motd"), "original");
  EXPECT_FALSE(std::filesystem::exists(root_ + "/new"));
  EXPECT_TRUE(std::filesystem::exists(root_ + "/bin/sh"));
  // And the next cell sees the original.
  EXPECT_EQ(Run(Busybox("busybox cat /etc/motd; busybox ls /new")).out,
            "original");
}

TEST_P(DirectoryRootTest, OneLimitHoldsForAllThatIsWritten) {
  CellSpec cell = Busybox(
      "busybox head -c 700k /dev/zero > /tmp/a && echo first; "
      "busybox dd if=/dev/zero of=/opt bs=64k count=11 && echo second");
  cell.limits.scratch_bytes = 1 << 20;
  const Outcome bytes = Run(cell);
  EXPECT_EQ(bytes.out, "first\n");
  EXPECT_THAT(bytes.err, HasSubstr("No space left"));

  cell =
      Busybox("i=0; while echo > /f$i; do i=$((i+1)); done; echo $((i < 700))");
  cell.limits.scratch_inodes = 100;
  EXPECT_EQ(Run(cell).out, "1\n");
}

TEST_P(DirectoryRootTest, HostNamesAreThereWhereTheRootHasNone) {
  EXPECT_THAT(Run(Busybox("busybox cat /etc/hosts")).out,
              HasSubstr("127.0.0.1 localhost"));
  directory_.Write("root/etc/hosts", "its own");
  EXPECT_EQ(Run(Busybox("busybox cat /etc/hosts")).out, "its own");
}

TEST_P(DirectoryRootTest, LinkInAPlaceOfOursIsRefused) {
  std::filesystem::create_symlink("/etc", root_ + "/tmp");
  Session session = NewSession(SessionOf(Busybox("true")));
  const auto started = session.StartCell(0);
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("/tmp of the root"));
}

TEST_P(DirectoryRootTest, HostsFileThatIsALinkIsNotWrittenThrough) {
  const std::string outside = directory_.Write("outside", "");
  std::filesystem::create_symlink(outside, root_ + "/etc/hosts");
  EXPECT_EQ(Run(Busybox("echo ran")).out, "ran\n");
  EXPECT_EQ(ReadFile(outside), "");
}

TEST_P(RootfsTest, MissingSourceIsNamed) {
  CellSpec cell = CellOf({Shell("true")});
  cell.mounts = {
      BindMount{.source = {.path = "/no/such/place"}, .target = "/data"}};
  Session session = NewSession(SessionOf(cell));
  const auto started = session.StartCell(0);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::kNotFound);
  EXPECT_THAT(started.error().message, HasSubstr("/no/such/place"));
}

TEST_P(RootfsTest, LinkThatACandidateMadeIsNoMountPoint) {
  SessionSpec spec;
  spec.volumes.push_back({});
  CellSpec first = CellOf({Shell("ln -s /usr /work/data")});
  first.mounts = {VolumeMount{}};
  CellSpec second = CellOf({Shell("true")});
  second.mounts = {VolumeMount{}, TmpfsMount{.target = "/work/data/x"}};
  spec.cells = {first, second};
  Session session = NewSession(spec);
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  ASSERT_TRUE(RunIn(*cell).termination.Succeeded());
  EXPECT_FALSE(session.StartCell(1));
}

TEST_P(RootfsTest, RuntimesOfTheHostWork) {
  CellSpec cell = CellOf(
      {Shell("python3 -c 'import ssl, json; print(ssl.OPENSSL_VERSION[:7])'; "
             "node -e 'console.log(1 + 1)'; perl -e 'print \"perl\\n\"'; "
             "echo 'int main(){}' > /tmp/a.c && clang-19 -o /tmp/a /tmp/a.c && "
             "/tmp/a && awk 'BEGIN { print \"linked\" }'; getent hosts "
             "localhost | cut -d' ' -f1")});
  cell.processes[0].environment = {"PATH=/usr/bin:/bin"};
  const Outcome outcome = Run(cell);
  EXPECT_EQ(outcome.out, "OpenSSL\n2\nperl\nlinked\n::1\n") << outcome.err;
}

class UnpackTest : public RootfsTest {
 protected:
  void SetUp() override {
    RootfsTest::SetUp();
    archive_.Reset(::memfd_create("archive", MFD_CLOEXEC));
  }
  // Unpacks what `archive_` holds into a volume, then runs `script` there.
  std::pair<Outcome, Outcome> UnpackAndRun(const std::string& script) {
    SessionSpec spec;
    spec.volumes.push_back({.bytes = 4 << 20, .inodes = 1000});
    CellSpec cell = CellOf(
        {{.name = "unpack", .unpack = UnpackAction{archive_.get(), "/work"}},
         Shell(script)});
    cell.processes[1].working_directory = "/work";
    cell.mounts = {VolumeMount{}};
    spec.cells.push_back(cell);
    Session session = NewSession(spec);
    auto started = session.StartCell(0);
    EXPECT_TRUE(started) << started.error();
    Outcome unpacked = RunIn(*started, 0);
    return {unpacked, RunIn(*started, 1)};
  }
  UniqueFd archive_;
};
ASSAY_SANDBOX_SUITE(UnpackTest);

TEST_P(UnpackTest, TreeArrivesAsItWasPacked) {
  TreeArchiveWriter writer(archive_.get());
  ASSERT_TRUE(writer.AddDirectory("empty"));
  ASSERT_TRUE(writer.AddFile("a/b/run.sh", "#!/bin/sh\necho ran\n", true));
  ASSERT_TRUE(writer.AddFile("a/data", std::string(300'000, 'x')));
  ASSERT_TRUE(writer.AddSymlink("link", "a/b/run.sh"));
  ASSERT_TRUE(writer.Finish());
  const auto [unpacked, ran] =
      UnpackAndRun("./link; stat -c '%n %a %u %s' a/data empty");
  EXPECT_TRUE(unpacked.termination.Succeeded()) << unpacked.err;
  EXPECT_EQ(ran.out, "ran\na/data 644 1000 300000\nempty 755 1000 40\n");
}

TEST_P(UnpackTest, LinkInTheWayDoesNotLeadOut) {
  TreeArchiveWriter writer(archive_.get());
  ASSERT_TRUE(writer.AddSymlink("out", "/tmp"));
  ASSERT_TRUE(writer.AddFile("out/f", "escaped"));
  ASSERT_TRUE(writer.Finish());
  const auto [unpacked, ran] = UnpackAndRun("ls /tmp");
  EXPECT_EQ(unpacked.termination.ending, Ending(Exited{1}));
  EXPECT_THAT(unpacked.err, HasSubstr("out/f"));
  EXPECT_EQ(ran.out, "");
}

TEST_P(UnpackTest, LinkIsReplacedAndNotWrittenThrough) {
  TreeArchiveWriter writer(archive_.get());
  ASSERT_TRUE(writer.AddSymlink("f", "/tmp/target"));
  ASSERT_TRUE(writer.AddFile("f", "content"));
  ASSERT_TRUE(writer.Finish());
  const auto [unpacked, ran] = UnpackAndRun("ls /tmp; cat f");
  EXPECT_TRUE(unpacked.termination.Succeeded()) << unpacked.err;
  EXPECT_EQ(ran.out, "content");
}

TEST_P(UnpackTest, ForgedPathIsRefused) {
  std::string bytes(kTreeArchiveMagic);
  const std::string path = "../tmp/f";
  bytes += '\x02';
  bytes += static_cast<char>(path.size());
  bytes += std::string(1 + 8, '\0');
  bytes += path;
  ASSERT_EQ(::write(archive_.get(), bytes.data(), bytes.size()),
            static_cast<ssize_t>(bytes.size()));
  const auto [unpacked, ran] = UnpackAndRun("ls /tmp");
  EXPECT_EQ(unpacked.termination.ending, Ending(Exited{1}));
  EXPECT_THAT(unpacked.err, HasSubstr("could lead out"));
  EXPECT_EQ(ran.out, "");
}

TEST_P(UnpackTest, FullVolumeIsTold) {
  TreeArchiveWriter writer(archive_.get());
  ASSERT_TRUE(writer.AddFile("big", std::string(8 << 20, 'x')));
  ASSERT_TRUE(writer.Finish());
  const auto [unpacked, ran] = UnpackAndRun("true");
  EXPECT_EQ(unpacked.termination.ending, Ending(Exited{1}));
  EXPECT_THAT(unpacked.err, HasSubstr("No space left"));
}

}  // namespace
}  // namespace assay::sandbox
