#ifndef ASSAY_SERVICES_REPOSITORIES_DURABLE_FILES_H_
#define ASSAY_SERVICES_REPOSITORIES_DURABLE_FILES_H_

#include <filesystem>
#include <string_view>
#include <vector>

#include "proto/base/error.h"

namespace assay::repositories {

// Writes a new file and flushes it to the disk. The directory is the caller's
// to flush.
Status WriteNewFile(const std::filesystem::path& path, std::string_view bytes);

// Flushes a directory's entries.
Status SyncDirectory(const std::filesystem::path& path);

// Flushes the names that were made in `directories`, of which the last was
// changed last. Where the file system keeps one ordered journal (ext4, XFS),
// flushing that one is enough, and saves milliseconds each.
Status SyncNames(const std::vector<std::filesystem::path>& directories);

// Flushes a directory with everything below it, bottom up.
Status SyncTree(const std::filesystem::path& path);

// Makes a directory of mode 0700; it is well that it exists.
Status MakeDirectory(const std::filesystem::path& path);

// Makes `path` a hard link to `target`; it is well that `path` exists.
// Where the file system allows no more links, `path` is a copy.
Status LinkFile(const std::filesystem::path& target,
                const std::filesystem::path& path);

}  // namespace assay::repositories

#endif  // ASSAY_SERVICES_REPOSITORIES_DURABLE_FILES_H_
