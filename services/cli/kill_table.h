#ifndef ASSAY_SERVICES_CLI_KILL_TABLE_H_
#define ASSAY_SERVICES_CLI_KILL_TABLE_H_

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "assay/v1/run.pb.h"
#include "runner/suite/verification.h"
#include "services/cli/console.h"

namespace assay::cli {

// What a suite made of a solution whose score is known: one row of the kill
// table.
struct KillRow {
  // A check that earned something else than was declared.
  struct Surprise {
    double declared = 0;
    double earned = 0;
    // Of the last such run.
    std::string reason;
    int times = 0;
  };

  suite::KnownSolution solution;
  // Points of the first run.
  double earned = 0;
  double max = 0;
  // Checks that lost points in the first run, in the suite's order.
  std::vector<std::string> lost;
  int runs = 0;
  int as_declared = 0;
  std::map<std::string, Surprise> surprises;
  // Why it could not be judged; empty: it was.
  std::string problem;

  bool ok() const { return runs > 0 && as_declared == runs && problem.empty(); }
};

// Rows in the order of verify.yaml.
struct KillTable {
  std::string suite;
  std::vector<KillRow> rows;
  // Checks with points that no variant loses.
  std::vector<std::string> unguarded;

  bool ok() const;
};

// Whether anything in `run` could not be judged through our fault; why.
std::string OurFault(const v1::Run& run);

// Adds a judged run to its row.
void AddRun(const plan::v1::Plan& plan, const v1::Run& run, KillRow& row);

void PrintKillRow(Console& console, const KillRow& row, std::size_t id_width);
void PrintKillEnd(Console& console, const KillTable& table);
// The same whenever all went as declared, however often it was run: for
// documents.
std::string KillTableMarkdown(const KillTable& table);
nlohmann::ordered_json KillTableJson(const KillTable& table);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_KILL_TABLE_H_
