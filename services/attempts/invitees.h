#ifndef ASSAY_SERVICES_ATTEMPTS_INVITEES_H_
#define ASSAY_SERVICES_ATTEMPTS_INVITEES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "proto/base/error.h"

namespace assay::attempts {

// Somebody who is to be invited.
struct Invitee {
  std::string name;
  std::string email;  // may be empty
  double accommodation = 1.0;
  std::int32_t line = 0;  // of the file it came from
};

// "ada@example.org", as far as a message can be sent there.
bool IsAddress(const std::string& email);

// kInvalidArgument: says what is wrong with the fields, of all of them.
Status CheckInvitee(const Invitee& invitee);

struct InviteeProblem {
  std::int32_t line = 0;
  std::string message;
};

struct InviteeList {
  std::vector<Invitee> invitees;
  // Every one that was found, in the order of the lines.
  std::vector<InviteeProblem> problems;
};

// Reads a CSV file with the columns `name`, `email` and, if wanted,
// `accommodation`, in any order.
InviteeList ReadInvitees(const std::string& csv);

}  // namespace assay::attempts

#endif  // ASSAY_SERVICES_ATTEMPTS_INVITEES_H_
