#include "services/cli/command_line.h"
namespace assay::cli {
void AddUpCommand(CommandLine&) {}
}  // namespace assay::cli
