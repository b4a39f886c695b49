// Programs that take memory, each in another way.

#include <alloca.h>
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>

#include <cstdlib>

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

constexpr Attempt kAttempts[] = {
    {"touch", Touch},      {"map", Map},
    {"memfd", Memfd},      {"shared_file", SharedFile},
    {"system_v", SystemV}, {"stack", Stack},
    {"lock_all", LockAll}, {"sockets", Sockets},
};

}  // namespace

int main(int argc, char** argv) { return RunAttempt(kAttempts, argc, argv); }
