// Preloaded into a server: while the file ASSAY_EIO_FLAG is there, nothing below
// the place that it names can be written or flushed, as on a disk that fails.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static int fails(int fd) {
  const char* flag = getenv("ASSAY_EIO_FLAG");
  const int saved = errno;
  char place[4096];
  char link[64];
  char path[4096];
  if (flag == NULL) return 0;
  const int file = open(flag, O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    errno = saved;
    return 0;
  }
  const ssize_t size = read(file, place, sizeof place);
  close(file);
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t found = readlink(link, path, sizeof path);
  errno = saved;
  if (size <= 0 || found < size || memcmp(path, place, (size_t)size) != 0)
    return 0;
  errno = EIO;
  return 1;
}

ssize_t write(int fd, const void* data, size_t size) {
  return fails(fd) ? -1 : syscall(SYS_write, fd, data, size);
}
ssize_t writev(int fd, const struct iovec* parts, int count) {
  return fails(fd) ? -1 : syscall(SYS_writev, fd, parts, count);
}
ssize_t pwrite(int fd, const void* data, size_t size, off_t at) {
  return fails(fd) ? -1 : syscall(SYS_pwrite64, fd, data, size, at);
}
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
  return fails(fd) ? -1 : syscall(SYS_pwrite64, fd, data, size, at);
}
int fsync(int fd) { return fails(fd) ? -1 : (int)syscall(SYS_fsync, fd); }
int fdatasync(int fd) {
  return fails(fd) ? -1 : (int)syscall(SYS_fdatasync, fd);
}
