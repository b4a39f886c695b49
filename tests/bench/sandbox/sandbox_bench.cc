// Cells beside a floor and beside their peers, taken in turn in one run. Prints
// rows for tests/bench/run.
//
//   sandbox_bench BIN_DIR [ROUNDS [PART]]   all rows, or cells, programs,
//                                           throughput or limits
//   sandbox_bench floor [COUNT]        floor cells, as a program
//   sandbox_bench cold BIN_DIR COUNT   as many of ours, two at a time, for
//                                      whoever looks where their time goes

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/cell/launcher.h"
#include "sandbox/cell/session.h"
#include "tests/bench/sandbox/contest.h"
#include "tests/bench/sandbox/crun.h"
#include "tests/bench/sandbox/floor.h"
#include "tests/bench/sandbox/limits_bench.h"
#include "tests/bench/sandbox/peer_view.h"

namespace assay::bench {
namespace {

using namespace sandbox;
using Clock = std::chrono::steady_clock;

SessionSpec TrueSpec(std::uint32_t expected_cells,
                     std::uint32_t expected_processes) {
  CellSpec cell;
  cell.name = "bench";
  cell.limits.memory_bytes = 512 << 20;
  cell.limits.pids = 256;
  cell.processes = {{.name = "true",
                     .arguments = {"/bin/true"},
                     .expected_starts = expected_processes}};
  cell.expected_starts = expected_cells;
  SessionSpec spec;
  spec.cells = {cell};
  return spec;
}

bool RunIn(Cell& cell) {
  auto process = cell.Start(0);
  if (!process) return false;
  const auto end = process->Wait();
  return end && end->Succeeded();
}

// `end` takes the cell down.
template <class End>
bool RunCold(Session& session, End end) {
  auto started = session.StartCellWith(0, 0);
  if (!started) return false;
  const auto ended = started->process.Wait();
  return ended && ended->Succeeded() && end(started->cell);
}

// Cells per second of `workers` processes that each run `count` one after
// another.
template <class Work>
double Throughput(int workers, int count, Work work) {
  const auto start = Clock::now();
  std::vector<pid_t> pids;
  for (int i = 0; i < workers; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(work(i, count) ? 0 : 1);
    pids.push_back(pid);
  }
  bool all = true;
  for (const pid_t pid : pids) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    all = all && status == 0;
  }
  const double seconds = Milliseconds(Clock::now() - start) / 1e3;
  return all ? workers * count / seconds : 0;
}

constexpr int kWorkers = 2;

// Cells per second of two sessions that run cells one after another, as
// assay-run does: a cell goes down while the next one is built. The time ends
// when nothing is left of any.
double RunOnTwo(Launcher& launcher, int rounds) {
  std::vector<Session> sessions;
  for (int i = 0; i < kWorkers; ++i) {
    sessions.emplace_back(*launcher.CreateSession(TrueSpec(0, 0)));
  }
  const auto start = Clock::now();
  const double ran = Throughput(kWorkers, rounds, [&](int worker, int count) {
    bool ok = true;
    for (int n = 0; ok && n < count; ++n) {
      ok = RunCold(sessions[static_cast<std::size_t>(worker)],
                   [](Cell& cell) { return cell.Discard(); });
    }
    return ok;
  });
  while (launcher.Stats()->cells > 0) ::usleep(100);
  const double seconds = Milliseconds(Clock::now() - start) / 1e3;
  return ran > 0 ? kWorkers * rounds / seconds : 0;
}

void MeasureThroughput(Launcher& launcher, const std::string& self,
                       int rounds) {
  std::vector<double> ours, floors;
  for (int i = 0; i < 3; ++i) {
    ours.push_back(RunOnTwo(launcher, rounds));
    floors.push_back(Throughput(kWorkers, rounds, [&](int, int count) {
      return Command({self, "floor", std::to_string(count)});
    }));
  }
  std::sort(ours.begin(), ours.end());
  std::sort(floors.begin(), floors.end());
  // 0.9 of the floor's.
  Row("cold cells on two cores", "1/s", ours[1], "floor", floors[1], "1.111");
}

// Waits until a cell stands ahead.
void Settle(Launcher& launcher, std::uint32_t cells) {
  for (int i = 0; i < 1000; ++i) {
    const auto stats = launcher.Stats();
    if (stats && stats->cells >= cells) break;
    ::usleep(200);
  }
  // Its last steps, and the end of the one before.
  ::usleep(3000);
}

void MeasureCells(Launcher& launcher, int rounds) {
  constexpr std::uint32_t kMany = 1'000'000;
  Session session(*launcher.CreateSession(TrueSpec(0, 0)));
  Session steady(*launcher.CreateSession(TrueSpec(0, kMany)));
  Session eager(*launcher.CreateSession(TrueSpec(kMany, 1)));
  auto warm = steady.StartCell(0);
  if (!warm || !PrepareFloor(false)) return;
  Settle(launcher, 3);
  std::optional<Cell> ahead;
  std::vector<Contestant> c = {
      {"posix_spawn", [] { return Command({"/bin/true"}); }},
      // The next process is made ahead before anybody else's turn.
      {"warm", [&] { return RunIn(*warm); }, [] { ::usleep(3000); }},
      {"cold",
       [&] {
         return RunCold(session, [](Cell& cell) { return cell.Destroy(); });
       }},
      {"floor", [] { return RunFloorCell() == 0; }},
      {"ahead",
       [&] {
         auto cell = eager.StartCell(0);
         if (!cell || !RunIn(*cell)) return false;
         ahead = *std::move(cell);
         return true;
       },
       [&] {
         const Status gone = ahead->Destroy();
         static_cast<void>(gone);
         Settle(launcher, 3);
       }}};
  Measure(c, rounds);
  CleanUpFloor();
  Row("cell, cold, in process", "ms", c[2].Quantile(0.5), "floor",
      c[3].Quantile(0.5), "1.15");
  Row("cell, cold, in process, p99", "ms", c[2].Quantile(0.99), "its median",
      c[2].Quantile(0.5), "2.5");
  Row("cell made ahead", "ms", c[4].Quantile(0.5), "limit", 1.1, "1");
  Row("cell made ahead, p99", "ms", c[4].Quantile(0.99), "its median",
      c[4].Quantile(0.5), "2.5");
  Row("process in a standing cell, over posix_spawn", "ms",
      std::max(c[1].Quantile(0.5) - c[0].Quantile(0.5), 0.001), "limit", 0.15,
      "1");
  Row("process in a standing cell", "ms", c[1].Quantile(0.5), "posix_spawn",
      c[0].Quantile(0.5), "");
}

void MeasurePrograms(const std::string& bin, const std::string& self,
                     int rounds) {
  const PeerView view(bin + "/assay-sandbox");
  Crun crun(view);
  std::vector<Contestant> c = {
      {"assay-sandbox",
       [&] {
         return Command({bin + "/assay-sandbox", "run", "--memory", "512MiB",
                         "--pids", "256", "--", "/bin/true"});
       }},
      {"floor program", [&] { return Command({self, "floor"}); }},
      {"bubblewrap", [&] { return Command(view.Bubblewrap("/bin/true")); }},
      {"crun", [&] { return crun.Run(); }}};
  Measure(c, rounds);
  const double ours = c[0].Quantile(0.5);
  const char* const most[] = {"1.15", "0.8", "0.5"};
  for (int i = 1; i < 4; ++i) {
    auto& peer = c[static_cast<std::size_t>(i)];
    Row("assay-sandbox run", "ms", ours, peer.name, peer.Quantile(0.5),
        most[i - 1]);
  }
  Row("assay-sandbox run, p99", "ms", c[0].Quantile(0.99), "its median", ours,
      "2.5");
}

int All(const std::string& bin, const std::string& self, int rounds,
        std::string_view part) {
  const auto wanted = [part](std::string_view name) {
    return part.empty() || part == name;
  };
  auto launcher = Launcher::Spawn(bin + "/assay-launcher");
  if (!launcher) {
    std::fprintf(stderr, "%s\n", launcher.error().message.c_str());
    return 1;
  }
  if (wanted("cells")) MeasureCells(*launcher, rounds);
  if (wanted("programs")) MeasurePrograms(bin, self, rounds);
  if (wanted("throughput")) MeasureThroughput(*launcher, self, rounds);
  if (wanted("limits")) MeasureLimits(*launcher, bin + "/../tests", rounds);
  Row("launcher, resident, after all this", "MB",
      static_cast<double>(launcher->Stats()->resident_bytes) / 1e6, "limit", 3,
      "1");
  return 0;
}

int Cold(const std::string& bin, int count) {
  auto launcher = Launcher::Spawn(bin + "/assay-launcher");
  return launcher && RunOnTwo(*launcher, count / 2) > 0 ? 0 : 1;
}

int Floor(int count) {
  bool ran = PrepareFloor(count == 1);
  for (int i = 0; ran && i < count; ++i) ran = RunFloorCell() == 0;
  CleanUpFloor();
  return ran ? 0 : 1;
}

}  // namespace
}  // namespace assay::bench

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "floor") {
    return assay::bench::Floor(argc > 2 ? std::atoi(argv[2]) : 1);
  }
  if (argc > 3 && std::string_view(argv[1]) == "cold") {
    return assay::bench::Cold(argv[2], std::atoi(argv[3]));
  }
  if (argc < 2) return 2;
  return assay::bench::All(argv[1], argv[0],
                           argc > 2 ? std::atoi(argv[2]) : 300,
                           argc > 3 ? argv[3] : "");
}
