#include "tests/bench/sandbox/contest.h"

#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>

extern char** environ;

namespace assay::bench {

using Clock = std::chrono::steady_clock;

double Contestant::Quantile(double q) {
  if (broken || times.empty()) return 0;
  std::sort(times.begin(), times.end());
  const auto last = static_cast<double>(times.size() - 1);
  return times[static_cast<std::size_t>(last * q)];
}

void Measure(std::vector<Contestant>& contestants, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    // To and fro: the kernel still clears away after one while the next runs.
    for (std::size_t i = 0; i < contestants.size(); ++i) {
      auto& c = contestants[round % 2 == 0 ? i : contestants.size() - 1 - i];
      if (c.broken) continue;
      const auto start = Clock::now();
      c.broken = !c.run();
      c.times.push_back(Milliseconds(Clock::now() - start));
      if (c.broken) {
        std::fprintf(stderr, "%s failed and is left out\n", c.name.c_str());
      } else if (c.clean) {
        c.clean();
      }
    }
  }
  // What the rows leave out: how far apart each one's own times are.
  for (auto& c : contestants) {
    std::fprintf(stderr, "%-16s min %.3f  p10 %.3f  p50 %.3f  p99 %.3f ms\n",
                 c.name.c_str(), c.Quantile(0), c.Quantile(0.1),
                 c.Quantile(0.5), c.Quantile(0.99));
  }
}

double Milliseconds(Clock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

void Row(const std::string& metric, const char* unit, double ours,
         const std::string& peer, double theirs, const char* most) {
  if (ours == 0 || theirs == 0) return;
  std::printf("%s\t%s\t%.3f\t%s\t%.3f\t%s\n", metric.c_str(), unit, ours,
              peer.c_str(), theirs, most);
  std::fflush(stdout);
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

}  // namespace assay::bench
