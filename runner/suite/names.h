#ifndef ASSAY_RUNNER_SUITE_NAMES_H_
#define ASSAY_RUNNER_SUITE_NAMES_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "runner/suite/diagnostic.h"
#include "runner/suite/report.h"

namespace assay::suite {

struct NameUse {
  std::string name;
  Place at;
};

// Which names a step refers to and which it defines, in that order.
struct StepNames {
  std::vector<NameUse> uses;
  // Named as secrets: `logs: { forbid: { secrets: [...] } }`.
  std::vector<NameUse> secrets;
  // A flow that runs in the step's place, and the vars it is given.
  NameUse flow;
  std::vector<std::string> vars;
  // Steps inside the step; what they capture stays inside.
  std::vector<StepNames> inner;
  std::vector<NameUse> defines;
};

struct CheckNames {
  std::vector<StepNames> steps;
  // Empty without cases.
  std::vector<std::set<std::string>> case_keys;
  std::vector<Place> case_places;
};

// What everything can refer to.
struct SuiteNames {
  std::map<std::string, Place> vars;
  std::map<std::string, Place> secrets;
  std::set<std::string> sidecars;
  std::set<std::string> services;
  std::set<std::string> upstreams;
  std::set<std::string> ports;
  std::map<std::string, std::vector<StepNames>> flows;
  std::map<std::string, Place> flow_places;
  std::vector<CheckNames> checks;
  // In environments, probes, vars and cases: before any step runs.
  std::vector<NameUse> early;
};

// Reports every reference to a name that cannot exist where it is used,
// following flows in the order in which steps run, and flows that run
// themselves. Warns of vars, secrets and flows that nothing uses.
void CheckNamesOf(const SuiteNames& names, Report& report);

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_NAMES_H_
