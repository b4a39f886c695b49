#ifndef ASSAY_SERVICES_MAIN_ADMIN_COMMANDS_H_
#define ASSAY_SERVICES_MAIN_ADMIN_COMMANDS_H_

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <string>

namespace assay::admin {

// What an administrator does to a data directory: `assayd fsck`, `backup`,
// `restore` and `migrate-store`, which `assay admin` starts. `data_dir` and
// `store` (as --store) are read when one is run.
//
// `chosen` gets what is to be run instead of the server, and then answers with
// the exit code: 0, 1 where something is broken, 3 where it could not be done.
void AddCommands(CLI::App& app, const std::filesystem::path& data_dir,
                 const std::string& store, std::function<int()>& chosen);

}  // namespace assay::admin

#endif  // ASSAY_SERVICES_MAIN_ADMIN_COMMANDS_H_
