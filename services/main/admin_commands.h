#ifndef ASSAY_SERVICES_MAIN_ADMIN_COMMANDS_H_
#define ASSAY_SERVICES_MAIN_ADMIN_COMMANDS_H_

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <string>

#include "services/storage/blobs/s3_settings.h"

namespace assay::admin {

// What an administrator does to a data directory: `assayd fsck`, `backup`,
// `restore`, `migrate-store` and `migrate-blobs`, which `assay admin` starts.
// `data_dir`, `store` (as --store) and `blobs` are read when one is run.
//
// `chosen` gets what is to be run instead of the server, and then answers with
// the exit code: 0, 1 where something is broken, 3 where it could not be done.
void AddCommands(CLI::App& app, const std::filesystem::path& data_dir,
                 const std::string& store, const storage::BlobPlace& blobs,
                 std::function<int()>& chosen);

}  // namespace assay::admin

#endif  // ASSAY_SERVICES_MAIN_ADMIN_COMMANDS_H_
