#include "tests/bench/sandbox/peer_view.h"

#include <stdlib.h>

#include <array>
#include <filesystem>
#include <iterator>
#include <string_view>
#include <utility>

#include "tests/bench/sandbox/contest.h"

namespace assay::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::array kFolders = {"run", "var", "root", "home", "mnt", "opt",
                                 "srv", "usr", "proc", "dev",  "tmp", "etc"};
constexpr std::array kDevices = {"null", "zero", "full", "random", "urandom"};
constexpr std::array kMasked = {"kallsyms", "keys", "key-users", "timer_list",
                                "cmdline"};
constexpr std::array kDeviceLinks = {std::pair{"/proc/self/fd", "fd"},
                                     std::pair{"/proc/self/fd/0", "stdin"},
                                     std::pair{"/proc/self/fd/1", "stdout"},
                                     std::pair{"/proc/self/fd/2", "stderr"}};

// The links beside /usr that this machine has.
std::vector<std::pair<std::string, std::string>> UsrLinks() {
  std::vector<std::pair<std::string, std::string>> links;
  for (const char* name : {"bin", "sbin", "lib", "lib32", "lib64", "libx32"}) {
    const fs::path path = fs::path("/") / name;
    if (fs::is_symlink(path)) links.emplace_back(fs::read_symlink(path), name);
  }
  return links;
}

}  // namespace

PeerView::PeerView(const std::string& sandbox) {
  std::string folder = "/tmp/assay-bench-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) return;
  folder_ = folder;
  // In a user namespace, crun is not its owner.
  fs::permissions(folder_, fs::perms(0755));
  for (const char* name : kFolders) fs::create_directories(root() + "/" + name);
  for (const auto& [target, name] : UsrLinks()) {
    fs::create_symlink(target, root() + "/" + name);
  }
  fs::create_symlink("../tmp", root() + "/var/tmp");
  fs::create_symlink("../run", root() + "/var/run");
  Command({"/bin/sh", "-c",
           "'" + sandbox + "' run -- tar -C /etc -cf - . | tar -C '" + root() +
               "/etc' -xf -"});
}

PeerView::~PeerView() {
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

std::vector<std::string> PeerView::Bubblewrap(std::string command) const {
  std::vector<std::string> words = {"bwrap",
                                    "--unshare-all",
                                    "--unshare-user",
                                    "--uid",
                                    "1000",
                                    "--gid",
                                    "1000",
                                    "--hostname",
                                    "cell",
                                    "--new-session",
                                    "--die-with-parent",
                                    "--cap-drop",
                                    "ALL",
                                    "--clearenv",
                                    "--setenv",
                                    "PATH",
                                    "/usr/bin:/bin",
                                    "--ro-bind",
                                    "/usr",
                                    "/usr",
                                    "--ro-bind",
                                    root() + "/etc",
                                    "/etc"};
  const auto add = [&words](std::vector<std::string> more) {
    words.insert(words.end(), std::make_move_iterator(more.begin()),
                 std::make_move_iterator(more.end()));
  };
  for (const auto& [target, name] : UsrLinks()) {
    add({"--symlink", target, "/" + name});
  }
  add({"--perms", "0755", "--size", "65536", "--tmpfs", "/dev"});
  for (const std::string device : kDevices) {
    add({"--dev-bind", "/dev/" + device, "/dev/" + device});
  }
  for (const auto& [target, name] : kDeviceLinks) {
    add({"--symlink", target, std::string("/dev/") + name});
  }
  add({"--perms", "1777", "--size", "67108864", "--tmpfs", "/dev/shm",
       "--remount-ro", "/dev", "--proc", "/proc"});
  for (const char* file : kMasked) {
    add({"--ro-bind", "/dev/null", std::string("/proc/") + file});
  }
  for (std::size_t i = 0; i < 7; ++i) {
    add({"--dir", std::string("/") + kFolders[i]});
  }
  add({"--symlink", "../tmp", "/var/tmp", "--symlink", "../run", "/var/run",
       "--perms", "1777", "--size", "67108864", "--tmpfs", "/tmp",
       "--remount-ro", "/", std::move(command)});
  return words;
}

std::string PeerView::CrunConfig(std::string_view command) const {
  std::string masked;
  for (const char* file : kMasked) {
    masked +=
        std::string(masked.empty() ? "" : ", ") + "\"/proc/" + file + "\"";
  }
  return R"({"ociVersion": "1.0.0",
"process": {"terminal": false, "user": {"uid": 1000, "gid": 1000},
  "args": [")" +
         std::string(command) + R"("], "env": ["PATH=/usr/bin:/bin"],
  "cwd": "/", "noNewPrivileges": true,
  "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 4096, "soft": 4096}]},
"root": {"path": "rootfs", "readonly": true}, "hostname": "cell",
"mounts": [
  {"destination": "/proc", "type": "proc", "source": "proc",
   "options": ["nosuid", "nodev", "noexec"]},
  {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
   "options": ["nosuid", "noexec", "size=64k", "mode=755"]},
  {"destination": "/dev/shm", "type": "tmpfs", "source": "tmpfs",
   "options": ["nosuid", "nodev", "size=64m", "mode=1777"]},
  {"destination": "/usr", "type": "bind", "source": "/usr",
   "options": ["rbind", "ro", "nosuid", "nodev"]},
  {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs",
   "options": ["nosuid", "nodev", "size=64m", "mode=1777"]}],
"linux": {"namespaces": [{"type": "pid"}, {"type": "network"},
    {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}, {"type": "cgroup"},
    {"type": "user"}],
  "uidMappings": [{"containerID": 0, "hostID": 1899990000, "size": 1001}],
  "gidMappings": [{"containerID": 0, "hostID": 1899990000, "size": 1001}],
  "maskedPaths": [)" +
         masked + R"(],
  "cgroupsPath": "/assay-bench-crun",
  "resources": {"memory": {"limit": 536870912}, "pids": {"limit": 256}}}})";
}

}  // namespace assay::bench
