#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/sandbox/image/layout_builder.h"
#include "tests/sandbox/sandbox_test.h"

namespace assay::sandbox {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

struct Finished {
  int status = -1;
  std::string out;
  std::string err;
};

// The program from the shell, as root and as an ordinary user.
class AssaySandboxTest : public testing::TestWithParam<Starter> {
 protected:
  void SetUp() override {
    program_ = directory_.path() + "/assay-sandbox";
    for (const char* name :
         {"/assay-sandbox", "/assay-image", "/assay-egress"}) {
      std::filesystem::copy_file(
          std::string(std::getenv("ASSAY_BIN_DIR")) + name,
          directory_.path() + name);
    }
    ::chmod(directory_.path().c_str(), 0777);
  }

  bool root() const { return GetParam() == Starter::kRoot; }

  // The shell's words for "assay-sandbox <words>".
  std::string AsStarter(const std::string& words) const {
    const std::string uid = std::to_string(kTestUid);
    std::string command = program_ + " " + words;
    if (root()) return command;
    return "setpriv --reuid=" + uid + " --regid=" + uid + " --clear-groups " +
           command;
  }
  // Runs "assay-sandbox <words>" through the shell.
  Finished Call(const std::string& words) const {
    return Shell(AsStarter(words));
  }
  Finished Shell(const std::string& command) const {
    const std::string err = directory_.path() + "/stderr";
    std::FILE* pipe = ::popen(
        ("cd " + directory_.path() + " && { " + command + "; } 2>" + err)
            .c_str(),
        "re");
    Finished finished;
    char buffer[4096];
    std::size_t n = 0;
    while ((n = std::fread(buffer, 1, sizeof(buffer), pipe)) > 0) {
      finished.out.append(buffer, n);
    }
    finished.status = WEXITSTATUS(::pclose(pipe));
    finished.err = ReadFile(err);
    return finished;
  }
  json Result(const std::string& words) const {
    const std::string path = directory_.path() + "/result";
    Call("run --json " + path + " " + words);
    return json::parse(ReadFile(path), nullptr, false);
  }

  TempDirectory directory_;
  std::string program_;
};
ASSAY_SANDBOX_SUITE(AssaySandboxTest);

TEST_P(AssaySandboxTest, ExitStatusOfTheCommandIsOurs) {
  EXPECT_EQ(Call("run -- true").status, 0);
  EXPECT_EQ(Call("run -- sh -c 'exit 77'").status, 77);
  EXPECT_EQ(Call("run -- sh -c 'kill -TERM $$'").status, 128 + 15);
}

TEST_P(AssaySandboxTest, LimitsHaveTheirOwnStatus) {
  EXPECT_EQ(Call("run --wall 50ms -- sleep 9").status, 124);
  EXPECT_EQ(Call("run --output 1KiB -- yes").status, 122);
  EXPECT_EQ(Call("run -- no-such-command").status, 127);
  EXPECT_EQ(Call("run -- /etc/passwd").status, 126);
  if (!root()) return;
  EXPECT_EQ(Call("run --cpu 50ms -- sh -c 'while :; do :; done'").status, 124);
  EXPECT_EQ(
      Call("run --memory 32MiB -- /usr/bin/python3 -c 'x = bytearray(1 << 28)'")
          .status,
      123);
}

// Whether the command is killed for it or has ended by then is luck.
TEST_P(AssaySandboxTest, CutOutputIsTheOutputLimitOfACommandThatHasEnded) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(Call("run --output 5B -- echo hello world").status, 122);
  }
  const json result = Result("--output 5B -- echo hello world");
  EXPECT_EQ(result["termination"]["kind"], "output_limit");
  EXPECT_EQ(Call("run --output 5B -- printf hello").status, 0);
}

TEST_P(AssaySandboxTest, MemoryThatNoCellCanDoWithIsNamed) {
  if (!root()) GTEST_SKIP() << "a limit per process does not hit pid 1";
  const Finished called = Call("run --memory 4KiB -- true");
  EXPECT_EQ(called.status, 125);
  EXPECT_THAT(called.err, HasSubstr("cgroup: Cannot allocate memory"));
}

TEST_P(AssaySandboxTest, JsonTellsCollisionsApart) {
  EXPECT_EQ(Result("-- sh -c 'exit 124'")["termination"]["kind"], "exited");
  const json timeout = Result("--wall 50ms -- sleep 9");
  EXPECT_EQ(timeout["termination"]["kind"], "wall_timeout");
  EXPECT_GE(timeout["wall_ms"], 50);
  EXPECT_EQ(timeout["limits_hit"], json::array({"wall"}));
  const json output = Result("--output 10B -- yes");
  EXPECT_EQ(output["stdout"]["bytes"], 10);
  EXPECT_EQ(output["stdout"]["truncated"], true);
  EXPECT_EQ(Result("-- sh -c 'kill -9 $$'")["termination"]["signal"], 9);
  EXPECT_EQ(Result("-- nothing")["termination"]["step"], "exec");
}

TEST_P(AssaySandboxTest, CountersAreThoseOfTheCommand) {
  const json result = Result(
      "-- sh -c 'head -c 3000000 /dev/zero > /tmp/f; i=0; while [ $i -lt "
      "100000 ]; do i=$((i+1)); done'");
  EXPECT_GE(result["disk_used_bytes"], 3'000'000);
  EXPECT_LT(result["disk_used_bytes"], 3'200'000);
  EXPECT_GT(result["cpu_user_ms"].get<double>() +
                result["cpu_system_ms"].get<double>(),
            5);
  EXPECT_EQ(result["weaker"].empty(), root());
}

TEST_P(AssaySandboxTest, StreamsArePassedOnByteForByte) {
  const std::string bytes("a\0\xff\x1b[31m\n", 9);
  directory_.Write("in", bytes);
  EXPECT_EQ(Call("run -- cat < in").out, bytes);
  EXPECT_EQ(Call("run --stdin in -- cat").out, bytes);
  const Finished files =
      Call("run --stdout o --stderr e -- sh -c 'echo 1; echo 2 >&2'");
  EXPECT_EQ(files.out, "");
  EXPECT_EQ(ReadFile(directory_.path() + "/o"), "1\n");
  EXPECT_EQ(ReadFile(directory_.path() + "/e"), "2\n");
}

TEST_P(AssaySandboxTest, OutputBeforeALimitIsKept) {
  const Finished finished =
      Call("run --wall " + std::to_string(300 * TimeFactor()) +
           "ms -- sh -c 'echo first; sleep 99'");
  EXPECT_EQ(finished.out, "first\n");
  EXPECT_THAT(finished.err, HasSubstr("wall time limit"));
}

class ImageTest : public AssaySandboxTest {
 protected:
  // An image of busybox, with `more` above it.
  void MakeImage(const TarText& more) const {
    LayoutBuilder layout(directory_.path() + "/layout");
    layout.Add(
        {.layers = {TarText()
                        .File("bin/busybox", ReadFile("/bin/busybox"), 0755)
                        .Symlink("bin/sh", "busybox")
                        .File("etc/motd", "from the image\n")
                        .Bytes(),
                    more.Bytes()},
         .tag = "one",
         .environment = {"PATH=/bin", "LANGUAGE=xx", "HOME=/home"},
         .compression = Compression::kGzip});
  }
  Finished InImage(const std::string& options, const std::string& script) {
    return Call("run --cache cache --root oci:layout:one " + options +
                " -- sh -c '" + script + "'");
  }
};
ASSAY_SANDBOX_SUITE(ImageTest);

TEST_P(ImageTest, IsTheRootOfTheCommand) {
  MakeImage(TarText().File("etc/.wh.nothing", ""));
  const Finished ran = InImage(
      "--env HOME=/mine",
      "busybox cat /etc/motd; busybox ls /; echo $PATH $LANGUAGE $HOME; echo "
      "x > /etc/motd; busybox cat /etc/motd");
  EXPECT_EQ(ran.out,
            "from the image\nbin\ndev\netc\nproc\ntmp\n/bin xx /mine\nx\n")
      << ran.err;
  EXPECT_EQ(InImage("", "busybox cat /etc/motd").out, "from the image\n");
}

TEST_P(ImageTest, IsUnpackedOnce) {
  MakeImage(TarText());
  EXPECT_EQ(InImage("", "echo 1").out, "1\n");
  // Only the index is read from now on.
  std::filesystem::remove_all(directory_.path() + "/layout/blobs");
  EXPECT_EQ(InImage("", "echo 2").out, "2\n");
  int entries = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(directory_.path() + "/cache")) {
    EXPECT_TRUE(entry.is_directory()) << entry.path();
    ++entries;
  }
  EXPECT_EQ(entries, 1);
}

TEST_P(ImageTest, WhatIsWrittenCountsAgainstTheDiskLimits) {
  MakeImage(TarText());
  EXPECT_THAT(
      InImage("--disk 1MiB", "busybox dd if=/dev/zero of=/f bs=64k count=32")
          .err,
      HasSubstr("No space left"));
  EXPECT_THAT(InImage("--inodes 50",
                      "i=0; while echo > /f$i; do i=$((i+1)); done; echo")
                  .err,
              HasSubstr("No space left"));
  const Finished used =
      InImage("--json -", "busybox head -c 3000000 /dev/zero > /f");
  const json result = json::parse(used.out, nullptr, false);
  EXPECT_GE(result.value("disk_used_bytes", 0), 3'000'000) << used.err;
}

// As if a layer had taken over what unpacks it.
TEST_P(ImageTest, UnpackerCannotPassALinkOffAsTheRoot) {
  MakeImage(TarText());
  const std::string program = directory_.path() + "/assay-image";
  std::filesystem::remove(program);
  directory_.Write("assay-image",
                   "#!/bin/sh\nln -s / $5/root && : > $5/environment\n", 0755);
  const Finished refused = InImage("", "busybox ls /; ls /");
  EXPECT_EQ(refused.status, 125);
  EXPECT_EQ(refused.out, "");
  EXPECT_THAT(refused.err, HasSubstr("not unpacked to a directory"));
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path() + "/cache"));
}

TEST_P(ImageTest, HostileOneIsRefusedAndLeavesNothing) {
  const std::string outside = directory_.Write("outside", "untouched");
  MakeImage(TarText().Symlink("up", directory_.path()).File("up/outside", "x"));
  const Finished refused = InImage("", "echo ran");
  EXPECT_EQ(refused.status, 125);
  EXPECT_EQ(refused.out, "");
  EXPECT_THAT(refused.err, HasSubstr("'up/outside' leads out of the image"));
  EXPECT_EQ(ReadFile(outside), "untouched");
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path() + "/cache"));
}

TEST_P(AssaySandboxTest, BindsAndEnvironmentAreWhatWasSaid) {
  directory_.Write("data", "shared");
  EXPECT_EQ(Call("run --ro data:/d --env X=1 --env X=2 --cwd /tmp -- sh -c "
                 "'cat /d; echo \" $X\"; pwd; env | wc -l'")
                .out,
            "shared 2\n/tmp\n4\n");
  EXPECT_EQ(Call("run --rw .:/out -- sh -c 'echo made > /out/f'").status, 0);
  EXPECT_EQ(ReadFile(directory_.path() + "/f"), "made\n");
}

TEST_P(AssaySandboxTest, NetNoneHasNoLoopback) {
  EXPECT_EQ(Call("run --net none -- sh -c 'cat /proc/net/route /proc/net/fib_"
                 "trie | grep -c 127.0.0.1'")
                .out,
            "0\n");
}

TEST_P(AssaySandboxTest, LimitThatIsNotEnforcedIsRefusedUnlessAccepted) {
  const Finished refused = Call("run --memory 64MiB -- echo ran");
  // Also where an ordinary user was given a cgroup.
  if (root() || std::getenv("ASSAY_EXPECT_LIMITS") != nullptr) {
    EXPECT_EQ(refused.out, "ran\n");
    return;
  }
  EXPECT_EQ(refused.status, 125);
  EXPECT_EQ(refused.out, "");
  EXPECT_THAT(refused.err, HasSubstr("--allow-weaker memory"));
  EXPECT_EQ(Call("run --memory 64MiB --allow-weaker memory -- echo ran").out,
            "ran\n");
}

TEST_P(AssaySandboxTest, CommandThatCannotRunIsNamed) {
  const Finished missing = Call("run -- no-such-command");
  EXPECT_EQ(missing.status, 127);
  EXPECT_EQ(missing.err,
            "assay-sandbox: cannot run 'no-such-command' in the cell: No such "
            "file or directory\n");
  const Finished data = Call("run -- /etc/passwd");
  EXPECT_EQ(data.status, 126);
  EXPECT_THAT(data.err, HasSubstr("'/etc/passwd'"));
}

TEST_P(AssaySandboxTest, DiskRateIsKeptOrRefused) {
  const Finished one = Call("run --io-rate 100MiB -- echo ran");
  // The last is for a machine where each limit can be had.
  if (one.status != 125) {
    EXPECT_EQ(one.out, "ran\n");
    // By the disk and not by memory, where the test's folder lies on one.
    directory_.Write("data", std::string(4 << 20, 'x'));
    const Finished read = Call(
        "run --io-rate 2MiB --ro data:/d --json result -- dd if=/d "
        "of=/dev/null bs=256k iflag=direct");
    if (read.status != 0) GTEST_SKIP() << "no disk: " << read.err;
    const auto result =
        nlohmann::json::parse(ReadFile(directory_.path() + "/result"));
    EXPECT_GE(result["wall_ms"].get<double>(), 1000);
    return;
  }
  EXPECT_EQ(std::getenv("ASSAY_EXPECT_LIMITS"), nullptr) << one.err;
  EXPECT_THAT(one.err, HasSubstr("--allow-weaker io"));
  EXPECT_EQ(Call("run --io-rate 1MiB --allow-weaker io -- echo ran").out,
            "ran\n");
}

TEST_P(AssaySandboxTest, EgressReachesWhatIsListedAndNothingElse) {
  // Two servers of this machine's; one of them is listed.
  directory_.Write("serve.py", R"(
import http.server, threading
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"from outside")
        open("asked%d" % self.server.server_port, "w").close()
    def log_message(self, *words): pass
servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in "ab"]
for server in servers: threading.Thread(target=server.serve_forever, daemon=True).start()
open("ports.new", "w").write("A=%d\nB=%d\n" % tuple(s.server_port for s in servers))
import os; os.rename("ports.new", "ports")
os.read(0, 1)
)");
  directory_.Write("ask.py", R"(
import os, socket, sys, urllib.request
def ask(name, url):
    try:
        print(name, urllib.request.urlopen(url, timeout=5).read().decode())
    except urllib.error.HTTPError as e:
        print(name, e.code)
    except Exception as e:
        print(name, "failed")
a, b = sys.argv[1:]
ask("listed", "http://127.0.0.1:%s/" % a)
ask("other", "http://127.0.0.1:%s/" % b)
s = socket.create_connection(("127.0.0.1", 3128))
s.sendall(b"CONNECT 127.0.0.1:%s HTTP/1.1\r\n\r\n" % a.encode())
print("tunnel", s.recv(99).split(b"\r\n")[0].decode())
for port in a, b:
    try: socket.create_connection(("127.0.0.1", int(port)), 1); print("direct")
    except OSError: print("nothing there")
)");
  const Finished ran = Shell(
      "mkfifo hold; python3 serve.py < hold > /dev/null & exec 9> hold; "
      "while ! [ -e ports ]; do sleep 0.01; done; . ./ports; " +
      AsStarter("run --net egress=127.0.0.1:$A/private --json result --ro "
                "ask.py:/ask.py -- python3 /ask.py $A $B"));
  EXPECT_EQ(ran.out,
            "listed from outside\nother 403\ntunnel HTTP/1.1 200 Connection "
            "established\nnothing there\nnothing there\n")
      << ran.err;
  const json egress = json::parse(ReadFile(directory_.path() + "/result"),
                                  nullptr, false)["egress"];
  ASSERT_EQ(egress.size(), 3u) << egress;
  EXPECT_EQ(egress[0]["status"], 200);
  EXPECT_EQ(egress[0]["address"], "127.0.0.1");
  EXPECT_GT(egress[0]["bytes_down"], 10);
  EXPECT_EQ(egress[1]["status"], 403);
}

TEST_P(AssaySandboxTest, EgressToAPrivateAddressNeedsItsToken) {
  const Finished ran = Call(
      "run --net egress=127.0.0.1:1 -- python3 -c '\n"
      "import urllib.request\n"
      "try: urllib.request.urlopen(\"http://127.0.0.1:1/\")\n"
      "except urllib.error.HTTPError as e: print(e.code, e.read().decode())'");
  EXPECT_THAT(ran.out, HasSubstr("403"));
  EXPECT_THAT(ran.out, HasSubstr("is the loopback address 127.0.0.1"));
}

TEST_P(AssaySandboxTest, ExplainPrintsAndDoesNothing) {
  const Finished explained =
      Call("run --explain --wall 2s --tmpfs /t:1MiB -- touch made");
  EXPECT_EQ(explained.status, 0);
  EXPECT_THAT(explained.out, HasSubstr("wall time 2000 ms"));
  EXPECT_THAT(explained.out, HasSubstr("/t  tmpfs of 1048576 bytes"));
  EXPECT_THAT(explained.out, HasSubstr("io_uring_setup"));
  EXPECT_THAT(
      Call("run --explain --output 5KiB --io-rate 1KiB -- true").out,
      AllOf(HasSubstr("standard error 5120"), HasSubstr("each disk 1024")));
}

TEST_P(AssaySandboxTest, CompletionKnowsTheOptions) {
  std::ofstream(directory_.path() + "/rules") << Call("completion").out;
  const auto complete = [&](const std::string& words) {
    const std::string command =
        "bash -c '. " + directory_.path() + "/rules; COMP_WORDS=(" + words +
        "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _assay_sandbox; "
        "echo \"${COMPREPLY[*]}\"'";
    std::FILE* pipe = ::popen(command.c_str(), "re");
    char line[4096] = "";
    if (pipe != nullptr && std::fgets(line, sizeof(line), pipe) == nullptr) {
      line[0] = '\0';
    }
    if (pipe != nullptr) ::pclose(pipe);
    return std::string(line);
  };
  EXPECT_EQ(complete("assay-sandbox ch"), "check\n");
  EXPECT_EQ(complete("assay-sandbox run --mem"), "--memory\n");
  EXPECT_EQ(complete("assay-sandbox run --wall 2s --json x --st"),
            "--stderr --stdin --stdout\n");
  EXPECT_THAT(complete("assay-sandbox run -- tru"), HasSubstr("true"));
}

TEST_P(AssaySandboxTest, CheckNamesEveryPart) {
  const Finished checked = Call("check");
  EXPECT_EQ(checked.status, 0);
  for (const char* part : {"kernel", "user namespaces", "cgroup memory",
                           "timer priority", "swap"}) {
    EXPECT_THAT(checked.out, HasSubstr(part));
  }
  // Root lacks nothing but what v1 cannot do.
  const bool hybrid =
      !std::filesystem::exists("/sys/fs/cgroup/cgroup.controllers");
  std::string rest = checked.out;
  const std::string io = "weaker   cgroup io";
  EXPECT_EQ(rest.find(io) != std::string::npos, hybrid);
  if (hybrid) rest.erase(rest.find(io), io.size());
  EXPECT_EQ(rest.find("weaker") == std::string::npos, root());
}

TEST_P(AssaySandboxTest, InterruptedCommandIsTakenDownFirst) {
  const std::string as =
      root() ? "" : "setpriv --reuid=54321 --regid=54321 --clear-groups ";
  const std::string script =
      "cd " + directory_.path() + "; mkfifo f; " + as + program_ +
      " run -- sh -c 'echo on; sleep 30' > f & "
      "pid=$!; while ! [ -p " +
      directory_.path() + "/f ]; do :; done; read line < " + directory_.path() +
      "/f; pid=$(pgrep -o -f \"^" + program_ +
      "\"); kill -TERM $pid; wait; echo $pid; "
      "find /sys/fs/cgroup -name assay-$pid";
  std::FILE* pipe = ::popen(script.c_str(), "re");
  char buffer[4096];
  const std::size_t n = std::fread(buffer, 1, sizeof(buffer), pipe);
  ::pclose(pipe);
  EXPECT_THAT(std::string(buffer, n), testing::MatchesRegex("[0-9]+\n"));
}

TEST_P(AssaySandboxTest, SlowReaderDoesNotHoldTheLimitsUp) {
  const std::string path = directory_.path() + "/result";
  Call("run --json " + path + " --wall 200ms -- yes | sleep 1");
  const json result = json::parse(ReadFile(path), nullptr, false);
  EXPECT_EQ(result["termination"]["kind"], "wall_timeout");
  EXPECT_LT(result["wall_ms"], 700);
}

TEST_P(AssaySandboxTest, EndsWithTheReaderOfItsOutput) {
  const std::string path = directory_.path() + "/result";
  for (const char* way : {"", "--net egress=127.0.0.1:1 "}) {
    Call(std::string("run ") + way + "--wall 20s --json " + path +
         " -- yes | head -n 1");
    const json result = json::parse(ReadFile(path), nullptr, false);
    EXPECT_EQ(result["termination"]["kind"], "signalled") << way << result;
    EXPECT_EQ(result["termination"]["signal"], SIGPIPE);
  }
}

// As in a container, where a strict mode cannot be entered any more.
TEST_P(AssaySandboxTest, WorksUnderAFilterOfSomebodyElse) {
  if (!root()) return;
  const pid_t pid = ::fork();
  if (pid == 0) {
    sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    const sock_fprog filter = {.len = 1, .filter = &allow};
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
    ::execl(program_.c_str(), "assay-sandbox", "run", "--", "sh", "-c",
            "exit 9", nullptr);
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(WEXITSTATUS(status), 9);
}

// Root's affair: the kernel makes no user namespaces for those in a chroot.
TEST_P(AssaySandboxTest, WorksInAChrootThatIsNoMountPoint) {
  if (!root()) return;
  const std::string root = directory_.path() + "/root";
  for (const char* name : {"", "/proc", "/usr", "/bin", "/etc"}) {
    std::filesystem::create_directory(root + name);
  }
  std::filesystem::copy_file("/bin/busybox", root + "/bin/busybox");
  std::filesystem::copy_file(program_, root + "/assay-sandbox");
  const std::string command = "unshare -m sh -c 'mount -t proc proc " + root +
                              "/proc && chroot " + root +
                              " /assay-sandbox run -- /bin/busybox ls /' 2>&1";
  std::FILE* pipe = ::popen(command.c_str(), "re");
  char buffer[4096];
  const std::size_t n = std::fread(buffer, 1, sizeof(buffer), pipe);
  EXPECT_EQ(::pclose(pipe), 0);
  EXPECT_THAT(std::string(buffer, n), StartsWith("bin\ndev\netc\n"));
}

TEST_P(AssaySandboxTest, MistakesGiveOneClearLineAnd125) {
  struct {
    const char* words;
    const char* says;
  } const kMistakes[] = {
      {"run", "no command"},
      {"run --bogus 1 -- true", "unknown option '--bogus'"},
      {"run --wall", "--wall: a value is missing"},
      {"run --wall 2 -- true", "with its unit"},
      {"run --memory 64 -- true", "64KiB, 256MiB"},
      {"run --memory -1MiB -- true", "with its unit"},
      {"run --pids none -- true", "expected a number"},
      {"run --ro /no/such -- true", "/no/such"},
      {"run --net egress=a -- true", "expected HOST:PORT"},
      {"run --net egress= -- true", "expected HOST:PORT"},
      {"run --root /etc/passwd -- true", "not a directory"},
      {"run --root oci:x -- true", "cannot use 'x'"},
      {"run --root oci:. -- true", "it has no oci-layout"},
      {"run --env X -- true", "NAME=VALUE"},
      {"run --tmpfs t:1MiB -- true", "absolute path"},
      {"run --tmpfs /t -- true", "DST:SIZE"},
      {"run --stdin /no/such -- true", "/no/such"},
      {"run --allow-weaker x -- true", "memory, pids"},
      {"run --net wide -- true", "none, loopback or egress"},
      {"run --memory 900000GiB -- true", "this host has"},
      {"run --disk 900000GiB -- true", "this host has"},
      {"run --cores 4000 -- true", "this host has"},
      {"run --disk 1GiB --inodes 9000000000000 -- true", "this host has"},
      {"run --tmpfs /t:900000GiB -- true", "this host has"},
      {"run --pids 999999999 -- true", "--pids: found 999999999"},
      {"run --pids 4294967297 -- true", "--pids: found '4294967297'"},
      {"run --open-files 900000000 -- true", "--open-files: found"},
      {"run --wall 0s -- true", "above 0"},
      {"run --memory 0B -- true", "above 0"},
      {"run --io-rate 5 -- true", "with its unit"},
      {"run --cwd /no/such -- true", "--cwd: cannot use '/no/such'"},
      {"check --json", "found '--json'"},
      {"run --json /no/such/file -- true", "No such file"},
      {"run --stdout /dev/full -- echo x", "No space left"},
      {"walk", "found 'walk'"},
  };
  for (const auto& mistake : kMistakes) {
    const Finished finished = Call(mistake.words);
    EXPECT_EQ(finished.status, 125) << mistake.words;
    EXPECT_THAT(finished.err, StartsWith("assay-sandbox: ")) << mistake.words;
    EXPECT_THAT(finished.err, HasSubstr(mistake.says)) << mistake.words;
    EXPECT_EQ(std::count(finished.err.begin(), finished.err.end(), '\n'), 1)
        << finished.err;
    EXPECT_THAT(finished.out, IsEmpty());
  }
}

TEST_P(AssaySandboxTest, EveryOptionOfTheHelpIsInTheManPageAndBack) {
  std::string man = ReadFile(std::string(std::getenv("ASSAY_SOURCE_DIR")) +
                             "/docs/man/assay-sandbox.1");
  for (std::size_t at = 0; (at = man.find('\\', at)) != std::string::npos;) {
    if (man.compare(at, 2, "\\-") == 0) {
      man.replace(at, 2, "-");
    } else {
      ++at;
    }
  }
  const auto options = [](const std::string& text) {
    std::set<std::string> found;
    for (std::size_t at = 0; (at = text.find("--", at)) != std::string::npos;) {
      const auto end =
          text.find_first_not_of("abcdefghijklmnopqrstuvwxyz-", at);
      const std::string name = text.substr(at, end - at);
      if (name.size() > 2) found.insert(name);
      at = end;
    }
    return found;
  };
  EXPECT_EQ(options(Call("--help").out), options(man));
}

}  // namespace
}  // namespace assay::sandbox
