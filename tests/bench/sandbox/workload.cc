// Work to be done inside and outside a cell: prints the nanoseconds of its own
// time that it took. "memory" takes 256 MiB and keeps them for a moment.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>

namespace {

void Compute() {
  std::uint64_t x = 88172645463325252ULL;
  for (int i = 0; i < 60'000'000; ++i) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
  }
  asm volatile("" : : "r"(x));
}

// What a build does: looks at files, reads them, passes bytes on.
void Call() {
  static char buffer[4096];
  int ends[2];
  if (::pipe(ends) != 0) return;
  for (int i = 0; i < 15'000; ++i) {
    struct stat info;
    const int fd = ::open("/usr/bin/true", O_RDONLY);
    ::fstat(fd, &info);
    const ssize_t n = ::pread(fd, buffer, sizeof(buffer), 0);
    ::close(fd);
    ::stat("/usr/bin/no-such-file", &info);
    if (::write(ends[1], buffer, 64) != 64 || n <= 0) return;
    if (::read(ends[0], buffer, sizeof(buffer)) != 64) return;
  }
}

void TakeMemory() {
  constexpr std::size_t kSize = 256 << 20;
  char* memory = new char[kSize];
  std::memset(memory, 1, kSize);
  asm volatile("" : : "r"(memory) : "memory");
}

std::int64_t OwnTime() {
  timespec now;
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const std::int64_t start = OwnTime();
  if (std::strcmp(argv[1], "compute") == 0) Compute();
  if (std::strcmp(argv[1], "call") == 0) Call();
  if (std::strcmp(argv[1], "memory") == 0) TakeMemory();
  std::printf("%lld\n", static_cast<long long>(OwnTime() - start));
}
