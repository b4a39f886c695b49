// Programs that take memory, each in another way.

#include <alloca.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>

#include <cstdlib>
#include <initializer_list>

#include "tests/sandbox/hostile/attempts.h"

namespace {

constexpr std::size_t kChunk = 1 << 20;

void Touch() {
  while (true) {
    void* chunk = std::malloc(kChunk);
    if (chunk == nullptr) ::_exit(3);
    std::memset(chunk, 1, kChunk);
    // An optimiser that sees nobody read the memory would not take it at all.
    asm volatile("" : : "r"(chunk) : "memory");
  }
}

void Map() {
  while (true) {
    void* chunk = ::mmap(nullptr, kChunk, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (chunk == MAP_FAILED) ::_exit(3);
  }
}

void Fill(int fd) {
  static char chunk[kChunk] = {1};
  while (::write(fd, chunk, kChunk) > 0) continue;
  ::_exit(3);
}

void Memfd() { Fill(::memfd_create("x", 0)); }
void SharedFile() { Fill(::open("/dev/shm/x", O_CREAT | O_WRONLY, 0600)); }

void SystemV() {
  while (true) {
    const int id = ::shmget(IPC_PRIVATE, kChunk, IPC_CREAT | 0600);
    void* chunk = id < 0 ? nullptr : ::shmat(id, nullptr, 0);
    if (id < 0 || chunk == reinterpret_cast<void*>(-1)) ::_exit(3);
    std::memset(chunk, 1, kChunk);
  }
}

int Deeper(int depth) {
  volatile char frame[4096];
  frame[0] = static_cast<char>(depth);
  return Deeper(depth + 1) + frame[0];
}
void Stack() { Deeper(0); }

void LockAll() {
  ::mlockall(MCL_CURRENT | MCL_FUTURE);
  Touch();
}

// Socket buffers are kernel memory.
void Sockets() {
  static char chunk[64 << 10];
  while (true) {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) break;
    const int size = 1 << 30;
    ::setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    while (::send(pair[0], chunk, sizeof(chunk), MSG_DONTWAIT) > 0) continue;
  }
  DoneAndWait();
}

// Reads far more than its limit: the kernel's copies are charged too.
void PageCache() {
  static char chunk[kChunk];
  constexpr std::size_t kEnough = 256 << 20;
  std::size_t total = 0;
  for (const char* folder : {"/usr/bin", "/usr/lib/x86_64-linux-gnu",
                             "/usr/lib/aarch64-linux-gnu"}) {
    DIR* list = ::opendir(folder);
    if (list == nullptr) continue;
    while (total < kEnough) {
      const dirent* item = ::readdir(list);
      if (item == nullptr) break;
      const int fd = ::openat(::dirfd(list), item->d_name, O_RDONLY);
      if (fd < 0) continue;
      ssize_t n = 0;
      while (total < kEnough && (n = ::read(fd, chunk, kChunk)) > 0) {
        total += static_cast<std::size_t>(n);
      }
      ::close(fd);
    }
    ::closedir(list);
  }
  ::_exit(total >= (100u << 20) ? 0 : 4);
}

constexpr Attempt kAttempts[] = {
    {"page_cache", PageCache},
    {"touch", Touch},
    {"map", Map},
    {"memfd", Memfd},
    {"shared_file", SharedFile},
    {"system_v", SystemV},
    {"stack", Stack},
    {"lock_all", LockAll},
    {"sockets", Sockets},
};

}  // namespace

int main(int argc, char** argv) { return RunAttempt(kAttempts, argc, argv); }
