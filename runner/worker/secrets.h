#ifndef ASSAY_RUNNER_WORKER_SECRETS_H_
#define ASSAY_RUNNER_WORKER_SECRETS_H_

#include <cstdint>
#include <map>
#include <string>

#include "assay/plan/v1/plan.pb.h"

namespace assay::worker {

// The plan's secrets by name. The same seed gives the same values, so that a
// run can be repeated; without the seed they cannot be guessed.
std::map<std::string, std::string> GenerateSecrets(const plan::v1::Plan& plan,
                                                   std::uint64_t seed);

}  // namespace assay::worker

#endif  // ASSAY_RUNNER_WORKER_SECRETS_H_
