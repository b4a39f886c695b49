#include "runner/wires/egress_list.h"

namespace assay::wires {

Expected<std::vector<sandbox::Destination>> EgressList(
    const assay::plan::v1::Environment& environment) {
  std::vector<sandbox::Destination> list;
  for (const auto& entry : environment.egress()) {
    const std::string text = entry.host() + ":" + std::to_string(entry.port());
    auto destination =
        sandbox::ParseDestination(entry.private_() ? text + "/private" : text);
    if (!destination) {
      return std::unexpected(destination.error().Within("environment.egress"));
    }
    list.push_back(*std::move(destination));
  }
  if (list.size() > sandbox::kMostDestinations) {
    return InvalidArgument("environment.egress names ", list.size(),
                           " places, expected at most ",
                           sandbox::kMostDestinations);
  }
  return list;
}

}  // namespace assay::wires
