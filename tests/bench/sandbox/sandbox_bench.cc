// Cells beside a floor and beside their peers, taken in turn in one run, so
// that what disturbs one disturbs all. Prints rows for tests/bench/run.
//
//   sandbox_bench BIN_DIR [ROUNDS]     all rows
//   sandbox_bench floor                one floor cell, as a program

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sandbox/cell/launcher.h"
#include "sandbox/cell/session.h"
#include "tests/bench/sandbox/floor.h"

extern char** environ;

namespace {

using namespace assay::sandbox;
using Clock = std::chrono::steady_clock;

double Milliseconds(Clock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

struct Contestant {
  std::string name;
  std::function<bool()> run;
  std::vector<double> times = {};
  bool broken = false;

  double Median() {
    if (broken || times.empty()) return 0;
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
  }
};

void Measure(std::vector<Contestant>& contestants, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    for (auto& c : contestants) {
      if (c.broken) continue;
      const auto start = Clock::now();
      if (!c.run()) {
        std::fprintf(stderr, "%s failed and is left out\n", c.name.c_str());
        c.broken = true;
      }
      c.times.push_back(Milliseconds(Clock::now() - start));
    }
  }
}

bool Command(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  if (::posix_spawnp(&pid, argv[0], nullptr, nullptr, argv.data(), environ) !=
      0) {
    return false;
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void Row(const char* metric, Contestant& ours, Contestant& peer,
         const char* most) {
  const double a = ours.Median();
  const double b = peer.Median();
  if (a == 0 || b == 0) return;
  std::printf("%s\tms\t%.3f\t%s\t%.3f\t%s\n", metric, a, peer.name.c_str(), b,
              most);
}

// The same view as a host cell's, as far as bubblewrap goes; it sets no limits
// and no filter.
std::vector<std::string> Bubblewrap() {
  return {"bwrap",     "--unshare-all", "--ro-bind", "/usr",      "/usr",
          "--symlink", "usr/bin",       "/bin",      "--symlink", "usr/lib",
          "/lib",      "--symlink",     "usr/lib64", "/lib64",    "--dev",
          "/dev",      "--proc",        "/proc",     "--tmpfs",   "/tmp",
          "/bin/true"};
}

bool RunCell(Session& session) {
  auto cell = session.StartCell(0);
  if (!cell) return false;
  auto process = cell->Start(0);
  if (!process) return false;
  const auto end = process->Wait();
  return end && end->Succeeded() && cell->Destroy();
}

SessionSpec TrueSpec() {
  CellSpec cell;
  cell.name = "bench";
  cell.processes = {{.name = "true", .arguments = {"/bin/true"}}};
  SessionSpec spec;
  spec.cells = {cell};
  return spec;
}

// Milliseconds from the order to destroy a cell of 1,000 spinning forkers to
// its end.
double KillForkers(Launcher& launcher, const std::string& bin) {
  SessionSpec spec = TrueSpec();
  spec.cells[0].limits.pids = 1000;
  spec.cells[0].limits.memory_bytes = std::int64_t{2} << 30;
  spec.cells[0].mounts = {BindMount{
      .source = {.path = bin + "/../tests/hostile"}, .target = "/hostile"}};
  spec.cells[0].processes[0].arguments = {"/hostile/hostile_processes",
                                          "spinning_forkers"};
  Session session(*launcher.CreateSession(spec));
  auto cell = session.StartCell(0);
  if (!cell || !cell->Start(0)) return 0;
  while (cell->Stats().value_or(CellStats{.pids = 1000}).pids < 1000) {
    ::usleep(1000);
  }
  const auto start = Clock::now();
  if (!cell->Destroy()) return 0;
  return Milliseconds(Clock::now() - start);
}

int All(const std::string& bin, const std::string& self, int rounds) {
  auto launcher = Launcher::Spawn(bin + "/assay-launcher");
  if (!launcher) {
    std::fprintf(stderr, "%s\n", launcher.error().message.c_str());
    return 1;
  }
  Session session(*launcher->CreateSession(TrueSpec()));
  auto warm = session.StartCell(0);
  if (!warm) return 1;
  std::vector<Contestant> c = {
      {"posix_spawn", [] { return Command({"/bin/true"}); }},
      {"cold", [&] { return RunCell(session); }},
      {"warm",
       [&] {
         auto process = warm->Start(0);
         return process && process->Wait()->Succeeded();
       }},
      {"assay-sandbox",
       [&] {
         return Command({bin + "/assay-sandbox", "run", "--memory", "512MiB",
                         "--pids", "256", "--", "/bin/true"});
       }},
      {"floor program", [&] { return Command({self, "floor"}); }},
      {"bubblewrap", [] { return Command(Bubblewrap()); }},
  };
  Measure(c, rounds);
  // The floor enters a mount namespace of its own, so it comes last.
  if (!PrepareFloor()) return 1;
  std::vector<Contestant> in_process = {
      {"cold", [&] { return RunCell(session); }},
      {"floor", [] { return RunFloorCell() == 0; }}};
  Measure(in_process, rounds);
  CleanUpFloor();

  Row("cell, cold, in process", in_process[0], in_process[1], "1.15");
  Row("process in a standing cell", c[2], c[0], "");
  Row("assay-sandbox run", c[3], c[4], "1.15");
  Row("assay-sandbox run", c[3], c[5], "0.8");
  std::printf("kill and reap 1,000 spinning forkers\tms\t%.1f\tlimit\t60\t1\n",
              KillForkers(*launcher, bin));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "floor") {
    const bool ran = PrepareFloor() && RunFloorCell() == 0;
    CleanUpFloor();
    return ran ? 0 : 1;
  }
  if (argc < 2) return 2;
  return All(argv[1], argv[0], argc > 2 ? std::atoi(argv[2]) : 300);
}
