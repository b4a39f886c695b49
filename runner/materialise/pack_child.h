#ifndef ASSAY_RUNNER_MATERIALISE_PACK_CHILD_H_
#define ASSAY_RUNNER_MATERIALISE_PACK_CHILD_H_

#include <string>
#include <vector>

#include "proto/base/error.h"
#include "runner/materialise/tree_limits.h"

namespace assay::materialise {

// What the program assay-unpack does: parses a pack. It is a program of its own
// so that a hostile pack costs one run: it has rlimits, no privileges, no
// descriptors but these three, and a scratch folder as its working directory.
inline constexpr int kPackFd = 3;     // read: the pack
inline constexpr int kArchiveFd = 4;  // write: the tree archive
inline constexpr int kReportFd = 5;   // write: "CODE MESSAGE" when it failed

// An ordinary user to become when started as root; the scratch folder is his.
inline constexpr unsigned kNobody = 65534;

// The program's arguments, without its name.
std::vector<std::string> PackChildArguments(const std::string& commit,
                                            const TreeLimits& limits);
// The program. Yields the exit code: 0, or 1 after a report.
int RunPackChild(const std::vector<std::string>& arguments);

}  // namespace assay::materialise

#endif  // ASSAY_RUNNER_MATERIALISE_PACK_CHILD_H_
