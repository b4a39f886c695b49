// Programs that fill file systems and streams.

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>

#include "tests/sandbox/hostile/attempts.h"

namespace {

char chunk[1 << 16];

void BigFile() {
  const int fd = ::open("/tmp/big", O_CREAT | O_WRONLY, 0600);
  while (::write(fd, chunk, sizeof(chunk)) > 0) continue;
  DoneAndWait();
}

void Sparse() {
  const int fd = ::open("/tmp/sparse", O_CREAT | O_WRONLY, 0600);
  (void)!::ftruncate(fd, off_t{1} << 50);
  (void)!::pwrite(fd, "x", 1, (off_t{1} << 50) - 1);
  ::fallocate(fd, 0, 0, off_t{1} << 40);
  DoneAndWait();
}

void Inodes() {
  char name[64];
  for (int i = 0;; ++i) {
    std::snprintf(name, sizeof(name), "/tmp/%d", i);
    const int fd = ::open(name, O_CREAT | O_WRONLY, 0600);
    if (fd < 0) break;
    ::close(fd);
  }
  DoneAndWait();
}

void DeepFolders() {
  (void)!::chdir("/tmp");
  char name[200];
  std::memset(name, 'd', sizeof(name));
  name[sizeof(name) - 1] = '\0';
  while (::mkdir(name, 0700) == 0 && ::chdir(name) == 0) continue;
  DoneAndWait();
}

void EndlessOutput() {
  std::memset(chunk, 'y', sizeof(chunk));
  while (::write(STDOUT_FILENO, chunk, sizeof(chunk)) > 0) continue;
}

void OneByteWrites() {
  while (::write(STDOUT_FILENO, "", 1) == 1) continue;
}

constexpr Attempt kAttempts[] = {
    {"big_file", BigFile},
    {"sparse", Sparse},
    {"inodes", Inodes},
    {"deep_folders", DeepFolders},
    {"endless_output", EndlessOutput},
    {"one_byte_writes", OneByteWrites},
};

}  // namespace

int main(int argc, char** argv) { return RunAttempt(kAttempts, argc, argv); }
