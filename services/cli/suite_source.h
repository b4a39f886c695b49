#ifndef ASSAY_SERVICES_CLI_SUITE_SOURCE_H_
#define ASSAY_SERVICES_CLI_SUITE_SOURCE_H_

#include <expected>
#include <string>
#include <string_view>

#include "assay/plan/v1/plan.pb.h"
#include "proto/base/error.h"
#include "runner/suite/compiler.h"

namespace assay::cli {

// The suite in `folder`, or what is wrong with it; files are shown as the
// caller named them. Error: the folder cannot be read.
using Compilation = std::expected<suite::Compiled, suite::Diagnostics>;
Expected<Compilation> CompileFolder(const std::string& folder);

// What `assay suite` commands work on: a folder with an assay.yaml, or a file
// that `assay suite pack` wrote.
//
// INVALID_ARGUMENT: what is wrong, one "file:line:col: error: sentence" on a
// line.
Expected<plan::v1::Plan> LoadPlan(const std::string& path);

// A file for people without the suite, as JSON so that whoever gets it can see
// what is in it.
std::string PackPlan(const plan::v1::Plan& plan);
// INVALID_ARGUMENT: not such a file, or of a newer version.
Expected<plan::v1::Plan> UnpackPlan(std::string_view text);

// A whole file of at most 32 MiB.
Expected<std::string> ReadWholeFile(const std::string& path);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_SUITE_SOURCE_H_
