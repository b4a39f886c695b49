#ifndef ASSAY_SANDBOX_LAUNCHER_CGROUP_FILES_H_
#define ASSAY_SANDBOX_LAUNCHER_CGROUP_FILES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sandbox/cell/unique_fd.h"

// Reading and writing the small files of a cgroup, by the descriptor of its
// directory.
namespace assay::sandbox {

// The first 4 KiB of a file; empty when it cannot be read.
std::string ReadSmallFile(int directory, const char* name);
// False with errno.
bool WriteSmallFile(int directory, const char* name, std::string_view value);
bool WriteSmallFile(int directory, const char* name, std::int64_t value);

// A file that holds one number.
std::optional<std::int64_t> ReadNumber(int directory, const char* name);
// A number from a file of "key number" lines.
std::optional<std::int64_t> ReadField(int directory, const char* name,
                                      std::string_view key);

// The same from a content that was read already.
std::optional<std::int64_t> FindField(std::string_view content,
                                      std::string_view key);

// Makes the directory `name` (which may exist) and opens it.
UniqueFd MakeDirectory(int parent, const char* name);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_LAUNCHER_CGROUP_FILES_H_
