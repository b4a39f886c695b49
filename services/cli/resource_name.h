#ifndef ASSAY_SERVICES_CLI_RESOURCE_NAME_H_
#define ASSAY_SERVICES_CLI_RESOURCE_NAME_H_

#include <string>
#include <string_view>

namespace assay::cli {

// Commands take "runs/run_7f" and "run_7f" alike: the first comes out of
// --json, the second is what people type.
inline std::string FullName(std::string_view collection, std::string_view id) {
  const std::string prefix = std::string(collection) + "/";
  if (id.empty() || id.starts_with(prefix)) return std::string(id);
  return prefix + std::string(id);
}

// "run_7f" of "runs/run_7f".
inline std::string ShortName(std::string_view name) {
  return std::string(name.substr(name.rfind('/') + 1));
}

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_RESOURCE_NAME_H_
