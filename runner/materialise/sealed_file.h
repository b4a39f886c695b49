#ifndef ASSAY_RUNNER_MATERIALISE_SEALED_FILE_H_
#define ASSAY_RUNNER_MATERIALISE_SEALED_FILE_H_

#include <string_view>

#include "proto/base/error.h"
#include "sandbox/cell/unique_fd.h"

namespace assay::materialise {

// An anonymous file in memory that can be sealed. `name` shows in /proc only.
Expected<sandbox::UniqueFd> MakeMemoryFile(const char* name);
// From now on nobody can change what the file holds, whoever has it open.
Status Seal(int fd);
// A sealed file with `content`.
Expected<sandbox::UniqueFd> MakeSealedFile(const char* name,
                                           std::string_view content);

}  // namespace assay::materialise

#endif  // ASSAY_RUNNER_MATERIALISE_SEALED_FILE_H_
