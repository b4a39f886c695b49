#ifndef ASSAY_RUNNER_SUITE_OBJECT_NAMES_H_
#define ASSAY_RUNNER_SUITE_OBJECT_NAMES_H_

#include <string>

#include "runner/suite/language.h"

namespace assay::suite {

// "an HTTP step" as an identifier: "httpStep". Different for every object.
std::string ObjectName(const Object& object);

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_OBJECT_NAMES_H_
