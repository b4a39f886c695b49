#ifndef ASSAY_SERVICES_NODES_NODE_NAME_H_
#define ASSAY_SERVICES_NODES_NODE_NAME_H_

#include <filesystem>
#include <string>
#include <string_view>

#include "proto/base/error.h"

namespace assay::nodes {

// What a coordinator is called, and which data directory it is that is called
// so.
struct NodeName {
  std::string name;
  std::string instance;
};

// 1 to 63 of [A-Za-z0-9._-], not starting with a dot or a dash.
bool IsNodeName(std::string_view name);

// Reads `file`, or makes it: with `wanted`, else with the host's name. A
// directory keeps its name wherever it is moved, since repositories in the
// store are said to be there.
//
// kInvalidArgument: `wanted` is no name. kFailedPrecondition: the file says
// another one.
Expected<NodeName> OpenNodeName(const std::filesystem::path& file,
                                const std::string& wanted);

}  // namespace assay::nodes

#endif  // ASSAY_SERVICES_NODES_NODE_NAME_H_
