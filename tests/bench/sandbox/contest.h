#ifndef ASSAY_TESTS_BENCH_SANDBOX_CONTEST_H_
#define ASSAY_TESTS_BENCH_SANDBOX_CONTEST_H_

#include <chrono>
#include <functional>
#include <string>
#include <vector>

// Things to measure beside each other, taken in turn, so that what disturbs one
// disturbs all.
namespace assay::bench {

struct Contestant {
  std::string name;
  // False: it failed, and is left out from then on.
  std::function<bool()> run;
  // Afterwards, not measured.
  std::function<void()> clean = {};
  std::vector<double> times = {};
  bool broken = false;

  // Milliseconds, 0.5 is the median; 0 if there is none.
  double Quantile(double q);
};

void Measure(std::vector<Contestant>& contestants, int rounds);

double Milliseconds(std::chrono::steady_clock::duration time);

// A row for tests/bench/run; nothing if a value is 0.
void Row(const std::string& metric, const char* unit, double ours,
         const std::string& peer, double theirs, const char* most);

// Runs a command to its end; false unless it exits with 0.
bool Command(std::vector<std::string> words);

}  // namespace assay::bench

#endif  // ASSAY_TESTS_BENCH_SANDBOX_CONTEST_H_
