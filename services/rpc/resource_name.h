#ifndef ASSAY_SERVICES_RPC_RESOURCE_NAME_H_
#define ASSAY_SERVICES_RPC_RESOURCE_NAME_H_

#include <string>
#include <string_view>

#include "proto/base/error.h"

namespace assay::rpc {

// "runs" and "runs/run_8f3k" to the id "run_8f3k". kInvalidArgument for any
// other form, since what is not a name cannot be looked up.
template <class Id>
Expected<Id> ParseName(std::string_view collection, std::string_view name) {
  const std::string_view rest =
      name.starts_with(collection) ? name.substr(collection.size()) : "";
  if (rest.size() < 2 || rest.front() != '/' ||
      rest.find('/', 1) != std::string_view::npos)
    return InvalidArgument("expected a name like \"", collection,
                           "/...\", "
                           "found \"",
                           name, "\"");
  return Id(std::string(rest.substr(1)));
}

// The same the other way round; empty for an empty id.
template <class Id>
std::string FormatName(std::string_view collection, const Id& id) {
  if (id.empty()) return {};
  return std::string(collection) + "/" + id.str();
}

}  // namespace assay::rpc

#endif  // ASSAY_SERVICES_RPC_RESOURCE_NAME_H_
