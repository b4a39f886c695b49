#include "runner/main/confinement.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <functional>

namespace assay::main {
namespace {

// Whether `attempt` holds in a child that was confined.
bool Confined(const std::function<bool()>& attempt) {
  const pid_t pid = fork();
  if (pid == 0) _exit(Confine() && attempt() ? 0 : 1);
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool Refused(long result) { return result < 0 && errno == EPERM; }

TEST(ConfinementTest, FilesCannotBeOpened) {
  EXPECT_TRUE(Confined([] { return Refused(open("/etc/passwd", O_RDONLY)); }));
  EXPECT_TRUE(Confined([] { return Refused(unlink("/tmp/none")); }));
}

TEST(ConfinementTest, SocketsCannotBeMade) {
  EXPECT_TRUE(
      Confined([] { return Refused(socket(AF_INET, SOCK_STREAM, 0)); }));
  EXPECT_TRUE(
      Confined([] { return Refused(socket(AF_UNIX, SOCK_STREAM, 0)); }));
}

TEST(ConfinementTest, NothingCanBeStarted) {
  EXPECT_TRUE(Confined([] {
    char* const argv[] = {nullptr};
    return Refused(execve("/bin/true", argv, argv));
  }));
  EXPECT_TRUE(Confined([] { return Refused(fork()); }));
}

TEST(ConfinementTest, MemoryCannotBecomeCode) {
  EXPECT_TRUE(Confined([] {
    return mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
  }));
  EXPECT_TRUE(Confined([] {
    void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page != MAP_FAILED &&
           Refused(mprotect(page, 4096, PROT_READ | PROT_EXEC));
  }));
}

TEST(ConfinementTest, DescriptorsThatAreThereGoOnWorking) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  EXPECT_TRUE(Confined([&] {
    char byte = 0;
    return write(ends[1], "x", 1) == 1 && read(ends[0], &byte, 1) == 1 &&
           byte == 'x';
  }));
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace assay::main
