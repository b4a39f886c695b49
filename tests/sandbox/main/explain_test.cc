// What --explain says, beside a live cell of the same options as the kernel
// shows it.

#include <seccomp.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "tests/sandbox/main/assay_sandbox_test.h"
#include "tests/sandbox/policy/judge.h"

namespace assay::sandbox {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> Words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

// The indented lines below a title, of the explanation as a whole or of one of
// its parts.
std::string Part(const std::string& text, const std::string& title) {
  std::string part;
  std::size_t depth = std::string::npos;
  for (const auto& line : Lines(text)) {
    const auto indent = line.find_first_not_of(' ');
    if (depth != std::string::npos) {
      if (indent <= depth) break;
      part += line + "\n";
    } else if (indent != std::string::npos &&
               line.compare(indent, title.size(), title) == 0) {
      depth = indent;
    }
  }
  return part;
}

// What comes after `name` in a line that begins with it; all lines if there is
// none.
std::string Value(const std::string& text, const std::string& name) {
  for (const auto& line : Lines(text)) {
    const auto indent = line.find_first_not_of(' ');
    if (indent == std::string::npos || !line.substr(indent).starts_with(name)) {
      continue;
    }
    const auto words = Words(line.substr(indent + name.size()));
    return words.empty() ? "" : words[0];
  }
  ADD_FAILURE() << name << " is not in\n" << text;
  return "";
}

// Of a mount, without what is said about access times and owners.
std::string Flags(std::string options) {
  static const std::set<std::string> kAsked = {"ro", "rw", "nosuid", "nodev",
                                               "noexec"};
  std::string flags;
  for (char& c : options) c = c == ',' ? ' ' : c;
  for (const auto& word : Words(options)) {
    if (kAsked.contains(word)) {
      if (!flags.empty()) flags += ",";
      flags += word;
    }
  }
  return flags;
}

using Places = std::multiset<std::pair<std::string, std::string>>;

Places MountsOf(pid_t pid) {
  Places places;
  const std::string proc = "/proc/" + std::to_string(pid) + "/mountinfo";
  for (const auto& line : Lines(ReadFile(proc))) {
    const auto words = Words(line);
    places.emplace(words.at(4), Flags(words.at(5)));
  }
  return places;
}

Places MountsIn(const std::string& explained) {
  Places places;
  for (const auto& line : Lines(Part(explained, "mounts"))) {
    const auto words = Words(line);
    places.emplace(words.at(0), words.at(1));
  }
  return places;
}

class ExplainTest : public AssaySandboxTest {
 protected:
  void TearDown() override {
    if (sandbox_ <= 0) return;
    ::kill(sandbox_, SIGTERM);
    ::waitpid(sandbox_, nullptr, 0);
    sandbox_ = -1;
  }

  // Runs a command that sleeps with these options, and is told of; 0 if there
  // is none after a while.
  pid_t Live(const std::string& options) {
    sandbox_ = ::fork();
    if (sandbox_ == 0) {
      const std::string words = "cd " + directory_.path() + " && exec " +
                                AsStarter("run " + options + " -- sleep 1000");
      ::execl("/bin/sh", "sh", "-c", words.c_str(), nullptr);
      ::_exit(1);
    }
    const std::string id = std::to_string(sandbox_);
    const std::string children = "/proc/" + id + "/task/" + id + "/children";
    pid_t found = 0;
    (void)Eventually([&] {
      for (const auto& child : Words(ReadFile(children))) {
        if (ReadFile("/proc/" + child + "/comm") == "sleep\n") {
          found = std::stoi(child);
        }
      }
      return found != 0;
    });
    return found;
  }

  // One of the files in which a limit of the command's cgroups stands, by v1's
  // controller and name and by v2's name.
  static std::string Cgroup(pid_t pid, const std::string& controller,
                            const std::string& legacy,
                            const std::string& unified) {
    const std::string all =
        ReadFile("/proc/" + std::to_string(pid) + "/cgroup");
    std::string leaf;
    for (const auto& line : Lines(all)) {
      // "4:memory:/a/b", "0::/a/b/p1"
      std::istringstream parts(line);
      std::string number, name, path;
      std::getline(parts, number, ':');
      std::getline(parts, name, ':');
      std::getline(parts, path);
      if (name == controller || name.starts_with(controller + ",")) {
        const fs::path base = "/sys/fs/cgroup";
        return ReadFile(base / controller / path.substr(1) / legacy);
      }
      if (name.empty()) leaf = path;
    }
    // The leaf has no limits, the cell above it has.
    const fs::path base = "/sys/fs/cgroup";
    return ReadFile(base / leaf.substr(1) / ".." / unified);
  }

  pid_t sandbox_ = -1;
};
ASSAY_SANDBOX_SUITE(ExplainTest);

TEST_P(ExplainTest, EveryMountIsNamedWithItsFlags) {
  directory_.Write("data", "x");
  const std::string tree = directory_.path() + "/tree";
  fs::create_directory(tree);
  for (const std::string name : {"bin", "lib", "lib64"}) {
    fs::create_symlink("usr/" + name, fs::path(tree) / name);
  }
  std::vector<std::string> roots = {""};
  // Linux maps no owners where /usr is another machine's, as in tests/vm.
  if (Call("run --ro /usr:/there -- true").err.find("map the owner of /usr") ==
      std::string::npos) {
    roots.emplace_back("--root tree --ro /usr ");
  }
  for (const std::string& root : roots) {
    const std::string options =
        root + "--ro data:/some/where --rw .:/out --tmpfs /t:1MiB";
    const Finished explained = Call("run --explain " + options + " -- true");
    ASSERT_EQ(explained.status, 0) << explained.err;
    const pid_t pid = Live(options);
    ASSERT_NE(pid, 0);
    EXPECT_EQ(MountsIn(explained.out), MountsOf(pid)) << explained.out;
    TearDown();
  }
}

TEST_P(ExplainTest, EveryNamespaceAndPrivilegeIsNamed) {
  const std::string out = Call("run --explain -- true").out;
  const std::string named = Part(out, "namespaces");
  const pid_t pid = Live("");
  ASSERT_NE(pid, 0);
  const std::string proc = "/proc/" + std::to_string(pid);
  const std::map<std::string, std::string> names = {{"mnt", "mount"},
                                                    {"net", "network"}};
  for (const auto& entry : fs::directory_iterator("/proc/self/ns")) {
    const std::string kind = entry.path().filename();
    if (kind.ends_with("_for_children")) continue;
    const auto name = names.find(kind);
    const bool own = fs::read_symlink(entry.path()) !=
                     fs::read_symlink(fs::path(proc) / "ns" / kind);
    const bool said = named.find(name == names.end() ? kind : name->second) !=
                      std::string::npos;
    EXPECT_EQ(said, own) << kind;
  }
  EXPECT_THAT(named, HasSubstr("uid and gid 1000 only"));
  const auto map = Words(ReadFile(proc + "/uid_map"));
  EXPECT_EQ(map.at(0), "1000");
  EXPECT_EQ(map.at(2), "1");

  EXPECT_THAT(Part(out, "privileges"),
              AllOf(HasSubstr("no capability in any set"),
                    HasSubstr("no_new_privs"), HasSubstr("session of its own"),
                    HasSubstr("no descriptor but 0 1 2")));
  const std::string status = ReadFile(proc + "/status");
  for (const char* set :
       {"CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"}) {
    EXPECT_EQ(Value(status, set), "0000000000000000") << set;
  }
  EXPECT_EQ(Value(status, "NoNewPrivs:"), "1");
  EXPECT_EQ(Words(ReadFile(proc + "/stat")).at(5), std::to_string(pid));
  std::set<std::string> descriptors;
  for (const auto& entry : fs::directory_iterator(proc + "/fd")) {
    descriptors.insert(entry.path().filename());
  }
  EXPECT_EQ(descriptors, (std::set<std::string>{"0", "1", "2"}));
}

TEST_P(ExplainTest, LimitsAreThoseThatTheKernelKeeps) {
  const std::string options =
      "--memory 64MiB --pids 9 --cores 0.5 --file-size 3MiB --open-files 77 "
      "--disk 5MiB --inodes 123 --allow-weaker all";
  const std::string out = Call("run --explain " + options + " -- true").out;
  const std::string limits = Part(out, "limits");
  const pid_t pid = Live(options);
  ASSERT_NE(pid, 0);
  const std::string proc = "/proc/" + std::to_string(pid);
  const std::string kept = ReadFile(proc + "/limits");
  EXPECT_EQ(Value(limits, "open files"), Value(kept, "Max open files"));
  EXPECT_EQ(Value(limits, "file size"), Value(kept, "Max file size"));
  EXPECT_THAT(limits, HasSubstr("core dumps off"));
  EXPECT_EQ(Value(kept, "Max core file size"), "0");
  EXPECT_THAT(limits, HasSubstr("no real-time priority"));
  EXPECT_EQ(Value(kept, "Max realtime priority"), "0");
  // The size of the scratch space, but for the root's own part.
  const std::string room = Value(out,
                                 "/tmp  rw,nosuid,nodev  empty; with /dev/"
                                 "shm");
  EXPECT_EQ(room, std::to_string(5 << 20));

  EXPECT_EQ(Value(limits, "memory"), std::to_string(64 << 20));
  EXPECT_EQ(Value(limits, "processes and threads"), "9");
  EXPECT_EQ(Value(limits, "cores"), "0.5");
  const std::string refused = "not enforced by this host";
  if (!root() && std::getenv("ASSAY_EXPECT_LIMITS") == nullptr) {
    for (const char* what : {"memory", "pids", "cores"}) {
      EXPECT_THAT(Part(out, refused), HasSubstr(what));
    }
    return;
  }
  EXPECT_THAT(out, Not(HasSubstr(refused)));
  EXPECT_EQ(Cgroup(pid, "memory", "memory.limit_in_bytes", "memory.max"),
            std::to_string(64 << 20) + "\n");
  // And pid 1.
  EXPECT_EQ(Cgroup(pid, "pids", "pids.max", "pids.max"), "10\n");
  EXPECT_THAT(Cgroup(pid, "cpu", "cpu.cfs_quota_us", "cpu.max"),
              HasSubstr("50000"));
}

// The filter as the kernel has it, taken from the running command.
std::vector<sock_filter> InstalledFilter(pid_t pid) {
  if (::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) != 0 ||
      ::ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr) != 0 ||
      ::waitpid(pid, nullptr, __WALL) != pid) {
    return {};
  }
  std::vector<sock_filter> filter;
  const long count = ::ptrace(PTRACE_SECCOMP_GET_FILTER, pid, nullptr, nullptr);
  if (count > 0) {
    filter.resize(static_cast<std::size_t>(count));
    ::ptrace(PTRACE_SECCOMP_GET_FILTER, pid, nullptr, filter.data());
  }
  ::ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
  return filter;
}

TEST_P(ExplainTest, FilterRulesAreThoseOfTheRunningCommand) {
  const std::string out = Call("run --explain -- true").out;
  const pid_t pid = Live("");
  ASSERT_NE(pid, 0);
  const auto filter = InstalledFilter(pid);
  if (filter.empty()) GTEST_SKIP() << "this kernel shows nobody's filter";
  EXPECT_THAT(out, HasSubstr("filter of " + std::to_string(filter.size()) +
                             " instructions"));
  const std::string rules = Part(out, "system calls");
  const auto listed = [&rules](const std::string& title) {
    const auto words = Words(Part(rules, title));
    return std::set<std::string>(words.begin(), words.end());
  };
  const auto allowed = listed("allowed:");
  const auto refused = listed("refused with EPERM:");
  ASSERT_THAT(allowed, Contains("openat"));
  ASSERT_THAT(refused, Contains("bpf"));
  const std::set<std::string> by_argument = {"socket", "socketpair", "clone",
                                             "ioctl", "personality"};
  const std::string conditions = Part(rules, "allowed by argument:");
  for (const auto& name : by_argument) EXPECT_THAT(conditions, HasSubstr(name));
  const auto answer = [&filter](int number, std::uint64_t argument = 0) {
    return Judge(filter,
                 {.nr = number, .arch = kArch, .args = {argument, 0, 0}});
  };
  for (int number = 0; number < 1000; ++number) {
    char* known = ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
    const std::string name = known != nullptr ? known : "";
    std::free(known);
    if (by_argument.contains(name)) continue;
    std::uint32_t expected = Refuse(ENOSYS);
    if (allowed.contains(name)) expected = SECCOMP_RET_ALLOW;
    if (refused.contains(name)) expected = Refuse(EPERM);
    EXPECT_EQ(answer(number), expected) << number << " " << name;
  }
  const auto socket = ::seccomp_syscall_resolve_name("socket");
  EXPECT_EQ(answer(socket, AF_INET), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(socket, AF_VSOCK), Refuse(EAFNOSUPPORT));
  EXPECT_EQ(Judge(filter, {.nr = 0, .arch = AUDIT_ARCH_I386}),
            SECCOMP_RET_KILL_PROCESS);
}

TEST_P(ExplainTest, PrintsAndDoesNothing) {
  const Finished explained =
      Call("run --explain --wall 2s --tmpfs /t:1MiB -- touch made");
  EXPECT_EQ(explained.status, 0);
  EXPECT_THAT(explained.out, HasSubstr("wall time 2000 ms"));
  EXPECT_THAT(explained.out, HasSubstr("tmpfs of 1048576 bytes"));
  EXPECT_FALSE(fs::exists(directory_.path() + "/made"));
  EXPECT_THAT(
      Call("run --explain --output 5KiB --io-rate 1KiB -- true").out,
      AllOf(HasSubstr("standard error 5120"), HasSubstr("each disk 1024")));
  EXPECT_THAT(Call("run --explain --net egress=a.example:80 -- true").out,
              HasSubstr("a.example:80 through a proxy"));
}

}  // namespace
}  // namespace assay::sandbox
