#ifndef ASSAY_SERVICES_CLI_ROLE_TEXT_H_
#define ASSAY_SERVICES_CLI_ROLE_TEXT_H_

#include <string>

#include "assay/v1/access.pb.h"
#include "proto/base/error.h"

namespace assay::cli {

// "author" to ROLE_AUTHOR; any role but the candidate's, who has theirs by
// invitation.
Expected<v1::Role> RoleFrom(const std::string& text);
// The other way round.
std::string RoleText(v1::Role role);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_ROLE_TEXT_H_
