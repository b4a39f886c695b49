#include "services/cli/confirm.h"

#include <unistd.h>

#include <iostream>

#include "services/cli/printable.h"

namespace assay::cli {

std::string Ask(const std::string& question) {
  if (!isatty(STDIN_FILENO)) return "";
  std::cerr << Printable(question) << ' ' << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer;
}

Status Confirm(const std::string& question, bool yes,
               WithoutTerminal otherwise) {
  if (yes) return {};
  if (!isatty(STDIN_FILENO)) {
    if (otherwise == WithoutTerminal::kGoAhead) return {};
    return InvalidArgument(question,
                           " Nobody is there to ask; add --yes if "
                           "you mean it");
  }
  const std::string answer = Ask(question + " [yes/no]");
  if (answer == "yes" || answer == "y") return {};
  return FailedPrecondition("nothing was changed");
}

}  // namespace assay::cli
