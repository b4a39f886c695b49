// Programs that make processes, or do not want to end.

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include <thread>

#include "tests/sandbox/hostile/attempts.h"

namespace {

void Spin() {
  volatile unsigned long count = 0;
  while (true) count = count + 1;
}

void ForkBomb() {
  while (true) {
    if (::fork() < 0) ::sched_yield();
  }
}

// Every process forks until refused, then spins: the hardest kind to kill.
void SpinningForkers() {
  while (::fork() >= 0) continue;
  Spin();
}

void VforkBomb() {
  while (true) {
    const pid_t pid = ::vfork();
    if (pid == 0) ::execl("/proc/self/exe", "x", "vfork_bomb", nullptr);
    if (pid < 0) ::sched_yield();
  }
}

void ThreadBomb() {
  while (true) {
    try {
      std::thread([] { ::pause(); }).detach();
    } catch (...) {
      ::sched_yield();
    }
  }
}

// Leaves daemons in sessions of their own behind, and ends well.
void Daemons() {
  for (int i = 0; i < 5; ++i) {
    if (::fork() != 0) continue;
    ::setsid();
    if (::fork() != 0) ::_exit(0);
    for (int fd = 0; fd < 3; ++fd) ::close(fd);
    Spin();
  }
}

// Daemons that keep standard output open, and ends well.
void DaemonsWithOutput() {
  if (::fork() == 0) {
    ::setsid();
    while (true) ::pause();
  }
}

void IgnoreSignals() {
  for (int signal = 1; signal < 64; ++signal) ::signal(signal, SIG_IGN);
  DoneAndWait();
}

void Zombies() {
  for (int i = 0; i < 1000; ++i) {
    if (::fork() == 0) ::_exit(0);
  }
  DoneAndWait();
}

void Stopped() {
  for (int i = 0; i < 20; ++i) {
    if (::fork() == 0) ::raise(SIGSTOP);
  }
  ::raise(SIGSTOP);
}

void ExecLoop() { ::execl("/proc/self/exe", "x", "exec_loop", nullptr); }

void KillEverybody() {
  for (int round = 0; round < 100; ++round) {
    ::kill(1, SIGKILL);
    ::kill(1, SIGSTOP);
    ::kill(-1, SIGTERM);
  }
  for (pid_t pid = 2; pid < 40'000; ++pid) {
    if (pid != ::getpid()) ::kill(pid, SIGKILL);
  }
  DoneAndWait();
}

// Whoever else comes to this cell is killed, also halfway in.
void KillNewcomers() {
  if (::write(STDOUT_FILENO, "on\n", 3) != 3) ::_exit(1);
  while (true) {
    ::kill(-1, SIGSTOP);
    ::kill(-1, SIGKILL);
  }
}

void BurningThreads() {
  for (int i = 0; i < 4; ++i) std::thread(Spin).detach();
  ::pause();
}

constexpr Attempt kAttempts[] = {
    {"kill_newcomers", KillNewcomers},
    {"burning_threads", BurningThreads},
    {"fork_bomb", ForkBomb},
    {"spinning_forkers", SpinningForkers},
    {"vfork_bomb", VforkBomb},
    {"thread_bomb", ThreadBomb},
    {"daemons", Daemons},
    {"daemons_with_output", DaemonsWithOutput},
    {"ignore_signals", IgnoreSignals},
    {"zombies", Zombies},
    {"stopped", Stopped},
    {"exec_loop", ExecLoop},
    {"kill_everybody", KillEverybody},
};

}  // namespace

int main(int argc, char** argv) { return RunAttempt(kAttempts, argc, argv); }
