#ifndef ASSAY_RUNNER_SUITE_SKELETON_H_
#define ASSAY_RUNNER_SUITE_SKELETON_H_

#include <string>
#include <string_view>
#include <vector>

#include "proto/base/error.h"
#include "runner/suite/compiler.h"

namespace assay::suite {

// What `assay suite init` writes: files of a suite that compiles, and what the
// author has to look at.
struct Skeleton {
  Files files;
  std::vector<std::string> notes;
  // Of an OpenAPI document's operations.
  int checks = 0;
};

Skeleton NewSuite(std::string_view name);

// A check for each operation of an OpenAPI 3 document (YAML or JSON), with the
// answer's schema beside it as draft 7.
// INVALID_ARGUMENT: not OpenAPI 3; the message has a line for each mistake.
Expected<Skeleton> SuiteFromOpenApi(std::string_view document);

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_SKELETON_H_
