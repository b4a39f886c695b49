#ifndef ASSAY_RUNNER_SUITE_COMPILER_H_
#define ASSAY_RUNNER_SUITE_COMPILER_H_

#include <expected>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "assay/plan/v1/plan.pb.h"
#include "runner/suite/diagnostic.h"

namespace assay::suite {

// The files of a suite: contents by path relative to the suite's folder, with
// forward slashes. The suite itself is "assay.yaml".
using Files = std::map<std::string, std::string>;

inline constexpr std::string_view kSuiteFile = "assay.yaml";

// A suite that is right.
struct Compiled {
  plan::v1::Plan plan;
  // What an author should look at, though it runs.
  Diagnostics warnings;
};

// Compiles the suite in `files`, of which `programs` are executable: parses,
// checks everything that can be checked without a service, fills in defaults,
// and takes along the files that the suite names. Pure: the same files give the
// same plan.
//
// Errors: every mistake found, the first 20 of each file in its order. Hostile
// input is refused in bounded time and memory.
std::expected<Compiled, Diagnostics> Compile(
    const Files& files, const std::set<std::string>& programs = {});

// The plan's bytes, the same for the same plan whatever the process, and their
// SHA-256 in hex, by which a plan is known.
std::string SerializePlan(const plan::v1::Plan& plan);
std::string PlanDigest(const plan::v1::Plan& plan);

// The part of a plan that its candidate may have: public checks, the flows,
// secrets and files that they use, and the number of hidden checks.
plan::v1::Plan CandidatePlan(const plan::v1::Plan& plan);

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_COMPILER_H_
