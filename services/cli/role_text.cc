#include "services/cli/role_text.h"

#include <array>
#include <utility>

namespace assay::cli {
namespace {

constexpr std::array kRoles = {std::pair{"admin", v1::ROLE_ADMIN},
                               std::pair{"author", v1::ROLE_AUTHOR},
                               std::pair{"reviewer", v1::ROLE_REVIEWER},
                               std::pair{"observer", v1::ROLE_OBSERVER},
                               std::pair{"worker", v1::ROLE_WORKER}};

}  // namespace

Expected<v1::Role> RoleFrom(const std::string& text) {
  for (const auto& [name, role] : kRoles)
    if (text == name) return role;
  return InvalidArgument("unknown role \"", text,
                         "\"; expected admin, author, reviewer, observer or "
                         "worker (candidates get theirs by invitation)");
}

std::string RoleText(v1::Role role) {
  for (const auto& [name, known] : kRoles)
    if (role == known) return name;
  return "";
}

}  // namespace assay::cli
