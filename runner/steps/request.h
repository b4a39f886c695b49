#ifndef ASSAY_RUNNER_STEPS_REQUEST_H_
#define ASSAY_RUNNER_STEPS_REQUEST_H_

#include <string>

#include "assay/plan/v1/plan.pb.h"
#include "proto/base/error.h"
#include "runner/steps/http_client.h"
#include "runner/suite/template.h"

namespace assay::steps {

// The request of an HTTP step, its templates expanded against `scope`.
// INVALID_ARGUMENT, NOT_FOUND: a template that cannot be expanded.
Expected<HttpRequest> MakeRequest(const assay::plan::v1::HttpStep& step,
                                  const assay::plan::v1::Plan& plan,
                                  const suite::Scope& scope);

// "a b/c" as "a%20b%2Fc".
std::string PercentEncode(std::string_view text);

// Where a redirect leads on the same wire: path and query. INVALID_ARGUMENT
// says where it leads instead.
Expected<std::string> TargetOnTheWire(const std::string& url,
                                      const std::string& origin);

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_REQUEST_H_
