// Programs that fill file systems and streams.

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

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

// Fills the disk to the last byte, frees it and fills it again, so that what is
// not given back, or given back twice, adds up.
void ExactQuota() {
  for (int round = 0; round < 20; ++round) {
    ::unlink("/tmp/full");
    const int fd = ::open("/tmp/full", O_CREAT | O_WRONLY | O_TRUNC, 0600);
    for (std::size_t size = sizeof(chunk); size > 0; size /= 2) {
      while (::write(fd, chunk, size) > 0) continue;
    }
    ::close(fd);
  }
  DoneAndWait();
}

// What a later cell has a mount point for is something else.
constexpr const char* kTarget = "/work/target";

void Fifo() {
  ::mkfifo(kTarget, 0666);
  DoneAndWait();
}

void Socket() {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, kTarget);
  (void)!::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address));
  ::listen(fd, 1);
  DoneAndWait();
}

void File() {
  ::close(::open(kTarget, O_CREAT | O_WRONLY, 0666));
  DoneAndWait();
}

void LinkOut() {
  (void)!::symlink("/proc/1/root", kTarget);
  DoneAndWait();
}

void LinkIn() {
  ::mkdir("/work/other", 0777);
  (void)!::symlink("other", kTarget);
  DoneAndWait();
}

void HardLink() {
  (void)!::link("/proc/self/exe", kTarget);
  ::close(::open("/work/file", O_CREAT | O_WRONLY, 0666));
  (void)!::link("/work/file", kTarget);
  DoneAndWait();
}

// Refused, so what is there in the end is a file.
void Device() {
  (void)!::mknod(kTarget, S_IFBLK | 0666, makedev(8, 0));
  (void)!::mknod(kTarget, S_IFCHR | 0666, makedev(1, 1));
  File();
}

// The mount point is a folder, a link out and nothing, in turn.
void RenameRace() {
  ::mkdir("/work/folder", 0777);
  (void)!::symlink("/tmp", "/work/link");
  (void)!::write(STDOUT_FILENO, "done\n", 5);
  while (true) {
    ::rename("/work/folder", kTarget);
    ::rename(kTarget, "/work/folder");
    ::rename("/work/link", kTarget);
    ::renameat2(AT_FDCWD, kTarget, AT_FDCWD, "/work/folder", RENAME_EXCHANGE);
    ::renameat2(AT_FDCWD, kTarget, AT_FDCWD, "/work/folder", RENAME_EXCHANGE);
    ::rename(kTarget, "/work/link");
  }
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
    {"exact_quota", ExactQuota},
    {"fifo", Fifo},
    {"socket", Socket},
    {"file", File},
    {"link_out", LinkOut},
    {"link_in", LinkIn},
    {"hard_link", HardLink},
    {"device", Device},
    {"rename_race", RenameRace},
    {"endless_output", EndlessOutput},
    {"one_byte_writes", OneByteWrites},
};

}  // namespace

int main(int argc, char** argv) { return RunAttempt(kAttempts, argc, argv); }
