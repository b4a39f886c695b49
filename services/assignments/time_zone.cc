#include "services/assignments/time_zone.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

#include "proto/base/utf8.h"

namespace assay::assignments {
namespace {

constexpr std::size_t kMaxName = 64;
constexpr const char* kList = "/usr/share/zoneinfo";

bool IsOfAName(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-' || c == '/';
}

// The list has other files beside zones: "zone.tab", "leapseconds".
bool HoldsAZone(const std::filesystem::path& file) {
  std::string magic(4, '\0');
  std::ifstream(file, std::ios::binary).read(magic.data(), 4);
  return magic == "TZif";
}

bool IsTimeZone(const std::string& zone) {
  if (zone.empty() || zone.size() > kMaxName || zone.front() == '/' ||
      !std::ranges::all_of(zone, IsOfAName))
    return false;
  std::error_code ignored;
  return zone == "UTC" || !std::filesystem::exists(kList, ignored) ||
         HoldsAZone(std::filesystem::path(kList) / zone);
}

}  // namespace

Status CheckTimeZone(const std::string& zone) {
  if (IsTimeZone(zone)) return {};
  return InvalidArgument("\"", PresentableLine(zone, kMaxName),
                         "\" is no IANA zone; expected one like "
                         "\"Europe/Berlin\" or \"UTC\"");
}

}  // namespace assay::assignments
