#include "tests/bench/sandbox/crun.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/bench/sandbox/contest.h"

namespace assay::bench {
Crun::Crun(const PeerView& view) : folder_(view.folder()) {
  std::ofstream(folder_ + "/config.json") << view.CrunConfig("/bin/true");
  int orders[2], answers[2];
  if (::pipe2(orders, O_CLOEXEC) != 0 || ::pipe2(answers, O_CLOEXEC) != 0) {
    return;
  }
  orders_.Reset(orders[1]);
  answers_.Reset(answers[0]);
  if (::fork() == 0) {
    orders_.Reset();
    Serve(orders[0], answers[1]);
  }
  ::close(orders[0]);
  ::close(answers[1]);
}

Crun::~Crun() {
  orders_.Reset();
  char end = 0;
  // The helper is gone.
  while (answers_ && ::read(answers_.get(), &end, 1) > 0) continue;
}

void Crun::Serve(int orders, int answers) const {
  ::unshare(CLONE_NEWNS);
  ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  ::umount2("/sys/fs/cgroup/unified", MNT_DETACH);
  char byte = 0;
  for (int i = 0; ::read(orders, &byte, 1) == 1; ++i) {
    const bool ran = Command({"crun", "--root", folder_ + "/state", "run", "-b",
                              folder_, "bench" + std::to_string(i)});
    const char answer = ran ? 1 : 0;
    if (::write(answers, &answer, 1) != 1) break;
  }
  ::_exit(0);
}

bool Crun::Run() {
  char answer = 0;
  return orders_ && ::write(orders_.get(), "r", 1) == 1 &&
         ::read(answers_.get(), &answer, 1) == 1 && answer == 1;
}

}  // namespace assay::bench
