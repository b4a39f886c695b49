#ifndef ASSAY_RUNNER_MATERIALISE_ENTRY_NAME_H_
#define ASSAY_RUNNER_MATERIALISE_ENTRY_NAME_H_

#include <string>
#include <string_view>

#include "proto/base/error.h"

namespace assay::materialise {

// Refuses a tree entry's name that is no plain file name (empty, `.`, `..`,
// with a slash or a NUL, over 255 bytes) or that git itself would take for a
// repository (`.git` in any case, `git~1`). `directory` is for the message.
Status CheckEntryName(std::string_view name, std::string_view directory);

// `directory`/`name`, or `name` at the top.
std::string JoinPath(std::string_view directory, std::string_view name);

// `text` for a message: printable ASCII as it is, the rest as \xNN, cut after
// 100 bytes.
std::string Printable(std::string_view text);

}  // namespace assay::materialise

#endif  // ASSAY_RUNNER_MATERIALISE_ENTRY_NAME_H_
