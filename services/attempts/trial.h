#ifndef ASSAY_SERVICES_ATTEMPTS_TRIAL_H_
#define ASSAY_SERVICES_ATTEMPTS_TRIAL_H_

#include <string_view>

#include "assay/v1/file_tree.pb.h"
#include "proto/base/id.h"

namespace assay::attempts {

// The tiny repository in which candidates try clone and push before their
// clock starts. Everybody's is the same one, since nothing is ever written
// to it: what is pushed is read and thrown away.
inline constexpr std::string_view kTrialRepository = "rep_00000000000000000000";

// What is in it.
v1::FileTree TrialFiles();

}  // namespace assay::attempts

#endif  // ASSAY_SERVICES_ATTEMPTS_TRIAL_H_
