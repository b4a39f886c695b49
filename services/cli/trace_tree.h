#ifndef ASSAY_SERVICES_CLI_TRACE_TREE_H_
#define ASSAY_SERVICES_CLI_TRACE_TREE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "assay/v1/trace_service.pb.h"

namespace assay::cli {

// One span as the terminal shows it. All text is printable.
struct TraceNode {
  std::string name;
  // `service.name` of what reported it: "assay", the candidate's service.
  std::string service;
  // The statement, for a span of a database.
  std::string sql;
  std::uint64_t start_ns = 0;
  std::uint64_t duration_ns = 0;
  bool error = false;
  std::string error_message;
  std::vector<TraceNode> children;
};

// The spans as trees: a span whose parent is not among them is a root. Children
// are in the order of their start.
std::vector<TraceNode> BuildTrace(const v1::GetTraceResponse& response);

struct TreeOptions {
  // Only spans that failed, with the way to them.
  bool errors_only = false;
  // Each span on a line of its own, statements in full.
  bool all = false;
  // Levels shown; 0: every one.
  int depth = 0;
};
// The trees with durations, as lines. Neighbours without children that are
// named alike and say the same are one line, "× 101": what an N+1 looks like.
// Of many neighbours with children that are named alike, the slowest is shown
// for all of them.
std::vector<std::string> TreeLines(const std::vector<TraceNode>& roots,
                                   const TreeOptions& options);

// The first span with that name, with what is below it; null: none.
const TraceNode* Find(const std::vector<TraceNode>& roots,
                      const std::string& name);

// Every span of the trees, longest first.
std::vector<const TraceNode*> Slowest(const std::vector<TraceNode>& roots);

// How often each statement ran, most time first.
struct StatementUse {
  std::string sql;
  int count = 0;
  std::uint64_t total_ns = 0;
  std::uint64_t longest_ns = 0;
};
std::vector<StatementUse> Statements(const std::vector<TraceNode>& roots);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_TRACE_TREE_H_
