// Reads everything it can get at, copies it to standard output, and tries every
// address it can think of with the canary's port: what it finds is searched for
// canaries by the test.

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/utsname.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/sandbox/hostile/attempts.h"

extern char** environ;

namespace {

void Say(const std::string& text) {
  (void)!::write(STDOUT_FILENO, text.data(), text.size());
}

void CopyFile(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK);
  if (fd < 0) return;
  char buffer[64 << 10];
  const ssize_t n = ::read(fd, buffer, sizeof(buffer));
  if (n > 0) Say(std::string(buffer, static_cast<std::size_t>(n)) + "\n");
  ::close(fd);
}

void Walk(const std::string& folder, int depth) {
  DIR* list = ::opendir(folder.empty() ? "/" : folder.c_str());
  if (list == nullptr) return;
  while (const dirent* item = ::readdir(list)) {
    const std::string name = item->d_name;
    if (name == "." || name == "..") continue;
    const std::string path = folder + "/" + name;
    Say(path + "\n");
    char target[4096];
    const ssize_t length = ::readlink(path.c_str(), target, sizeof(target));
    if (length > 0) {
      Say(std::string(target, static_cast<std::size_t>(length)) + "\n");
      if (folder.find("/fd") == std::string::npos) continue;
    }
    struct stat info;
    if (::lstat(path.c_str(), &info) != 0) continue;
    // Reading /usr through is slow, and it is the same for everybody.
    if (S_ISDIR(info.st_mode) && depth > 0 && path != "/usr") {
      Walk(path, depth - 1);
    } else if (S_ISREG(info.st_mode)) {
      CopyFile(path);
    }
  }
  ::closedir(list);
}

void Files() {
  for (char** line = environ; *line != nullptr; ++line) Say(*line);
  utsname name;
  ::uname(&name);
  Say(std::string(name.nodename) + "\n");
  // Descriptors that should not be there.
  for (int fd = 3; fd < 1024; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) Say("LEAKED-" + std::to_string(fd) + "\n");
  }
  Walk("", 12);
}

int Try(const sockaddr* address, socklen_t size) {
  const int fd = ::socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int result = ::connect(fd, address, size);
  if (result == 0) {
    char buffer[256];
    const ssize_t n = ::recv(fd, buffer, sizeof(buffer), 0);
    if (n > 0) Say(std::string(buffer, static_cast<std::size_t>(n)));
  }
  return fd;
}

// As a look-up of a name does; an answer would not matter, its arrival would.
void Ask(sockaddr* address, socklen_t size, in_port_t* port) {
  const int fd = ::socket(address->sa_family, SOCK_DGRAM, 0);
  const in_port_t given = *port;
  for (const in_port_t to : {given, htons(53)}) {
    *port = to;
    ::sendto(fd, "canary", 6, MSG_DONTWAIT, address, size);
  }
  *port = given;
  ::close(fd);
}

// The canary's port is in the environment.
void Network() {
  const char* port_text = std::getenv("PORT");
  const auto port =
      static_cast<std::uint16_t>(std::atoi(port_text ? port_text : "1"));
  for (const char* text :
       {"127.0.0.1", "127.1.2.3", "0.0.0.0", "169.254.169.254", "10.0.0.1",
        "172.17.0.1", "192.168.0.1", "192.0.2.1", "8.8.8.8",
        "255.255.255.255"}) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    ::inet_pton(AF_INET, text, &address.sin_addr);
    Ask(reinterpret_cast<sockaddr*>(&address), sizeof(address),
        &address.sin_port);
    Try(reinterpret_cast<sockaddr*>(&address), sizeof(address));
  }
  for (const char* text :
       {"::1", "::", "fe80::1", "2001:db8::1", "::ffff:127.0.0.1"}) {
    sockaddr_in6 address = {};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    ::inet_pton(AF_INET6, text, &address.sin6_addr);
    Ask(reinterpret_cast<sockaddr*>(&address), sizeof(address),
        &address.sin6_port);
    Try(reinterpret_cast<sockaddr*>(&address), sizeof(address));
  }
  sockaddr_un local = {};
  local.sun_family = AF_UNIX;
  const std::string name = std::string("assay-canary-") + port_text;
  std::memcpy(local.sun_path + 1, name.data(), name.size());
  Try(reinterpret_cast<sockaddr*>(&local),
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 +
                             name.size()));
}

constexpr Attempt kAttempts[] = {{"files", Files}, {"network", Network}};

}  // namespace

int main(int argc, char** argv) { return RunAttempt(kAttempts, argc, argv); }
