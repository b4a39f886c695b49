#ifndef ASSAY_SERVICES_IDENTITY_TOKEN_FILE_H_
#define ASSAY_SERVICES_IDENTITY_TOKEN_FILE_H_

#include <filesystem>
#include <string>
#include <string_view>

#include "proto/base/error.h"

namespace assay::identity {

// The token in `path`, without the line's end; empty when there is no such
// file or it holds something else.
std::string ReadTokenFile(const std::filesystem::path& path);

// Puts a token into a file that only its owner can read, all or nothing, and
// flushes it.
Status WriteTokenFile(const std::filesystem::path& path,
                      std::string_view secret);

}  // namespace assay::identity

#endif  // ASSAY_SERVICES_IDENTITY_TOKEN_FILE_H_
