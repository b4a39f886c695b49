#include "tests/bench/sandbox/limits_bench.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "sandbox/cell/session.h"
#include "tests/bench/sandbox/contest.h"

namespace assay::bench {
namespace {

using namespace sandbox;
using Clock = std::chrono::steady_clock;

CellSpec CellWith(const std::string& tests, std::vector<std::string> command) {
  CellSpec cell;
  cell.name = "bench";
  cell.limits.memory_bytes = std::int64_t{2} << 30;
  cell.limits.pids = 1000;
  cell.mounts = {BindMount{.source = {.path = tests}, .target = "/bench"}};
  cell.processes = {{.name = command[0], .arguments = std::move(command)}};
  return cell;
}

// Runs the only process of a cell of its own.
Termination RunOnce(Launcher& launcher, const CellSpec& cell,
                    std::string* out = nullptr) {
  SessionSpec spec;
  spec.cells = {cell};
  Session session(*launcher.CreateSession(spec));
  auto started = session.StartCell(0);
  if (!started) return {};
  auto process = started->Start(0);
  if (!process) return {};
  auto end = process->Wait();
  char buffer[256];
  const ssize_t n = ::read(process->stdout_fd(), buffer, sizeof(buffer));
  if (out != nullptr && n > 0) out->assign(buffer, static_cast<std::size_t>(n));
  return end.value_or(Termination{});
}

double Top(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(
      static_cast<double>(values.size() - 1) * q)];
}

// From the order to destroy a cell of 1,000 spinning forkers to its end.
double KillForkers(Launcher& launcher, const std::string& tests) {
  SessionSpec spec;
  spec.cells = {CellWith(
      tests, {"/bench/hostile/hostile_processes", "spinning_forkers"})};
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

double WallLateness(Launcher& launcher, const std::string& tests) {
  CellSpec cell =
      CellWith(tests, {"/bench/hostile/hostile_processes", "spinning_forkers"});
  cell.limits.pids = 64;
  const auto limit = std::chrono::milliseconds(100);
  cell.processes[0].wall_limit = limit;
  const Termination end = RunOnce(launcher, cell);
  if (!std::holds_alternative<WallTimeout>(end.ending)) return 1e3;
  return Milliseconds(end.usage.wall - limit);
}

// CPU time over the limit, burnt by daemons.
double CpuLateness(Launcher& launcher, const std::string& tests) {
  CellSpec cell = CellWith(
      tests, {"/bin/sh", "-c",
              "for i in 1 2; do setsid sh -c 'while :; do :; done' & done; "
              "sleep 20"});
  const auto limit = std::chrono::milliseconds(100);
  cell.processes[0].cpu_limit = limit;
  const Termination end = RunOnce(launcher, cell);
  if (!std::holds_alternative<CpuTimeout>(end.ending)) return 1e3;
  return Milliseconds(end.usage.cpu_user + end.usage.cpu_system - limit);
}

double Inside(Launcher& launcher, const std::string& tests, const char* work) {
  std::string out;
  RunOnce(launcher, CellWith(tests, {"/bench/sandbox_workload", work}), &out);
  return std::atof(out.c_str()) / 1e6;
}

double Outside(const std::string& tests, const char* work) {
  std::FILE* pipe =
      ::popen((tests + "/sandbox_workload " + work).c_str(), "re");
  double value = 0;
  if (pipe == nullptr || std::fscanf(pipe, "%lf", &value) != 1) value = 0;
  if (pipe != nullptr) ::pclose(pipe);
  return value / 1e6;
}

void Work(Launcher& launcher, const std::string& tests, const char* work,
          const char* metric, const char* most, int rounds) {
  std::vector<double> in, out;
  for (int i = 0; i < rounds; ++i) {
    in.push_back(Inside(launcher, tests, work));
    out.push_back(Outside(tests, work));
  }
  Row(metric, "ms", Top(in, 0.5), "outside", Top(out, 0.5), most);
}

}  // namespace

void MeasureLimits(Launcher& launcher, const std::string& tests, int rounds) {
  std::vector<double> kills, wall, cpu;
  for (int i = 0; i < std::max(rounds / 30, 1); ++i) {
    kills.push_back(KillForkers(launcher, tests));
  }
  for (int i = 0; i < std::max(rounds / 5, 1); ++i) {
    wall.push_back(WallLateness(launcher, tests));
    cpu.push_back(CpuLateness(launcher, tests));
  }
  Row("kill and reap 1,000 spinning forkers", "ms", Top(kills, 0.5), "limit",
      60, "1");
  Row("wall limit, 64 spinners, late, p99", "ms", Top(wall, 0.99), "limit", 3,
      "1");
  Row("CPU limit, two daemons, over, p99", "ms", Top(cpu, 0.99), "limit", 5,
      "1");
  const int times = std::max(rounds / 20, 3);
  Work(launcher, tests, "compute", "CPU-bound work inside", "1.02", times);
  Work(launcher, tests, "call", "system calls inside", "1.15", times);
  const Termination end =
      RunOnce(launcher, CellWith(tests, {"/bench/sandbox_workload", "memory"}));
  constexpr double kTaken = 256 << 20;
  const double off =
      std::abs(static_cast<double>(end.usage.memory_peak_bytes) - kTaken) /
      kTaken * 100;
  Row("memory peak, 256 MiB taken, off by", "%", off, "limit", 2, "1");
}

}  // namespace assay::bench
