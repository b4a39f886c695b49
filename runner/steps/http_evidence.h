#ifndef ASSAY_RUNNER_STEPS_HTTP_EVIDENCE_H_
#define ASSAY_RUNNER_STEPS_HTTP_EVIDENCE_H_

#include <string>

#include "runner/assertions/evaluator.h"
#include "runner/steps/http_client.h"

namespace assay::steps {

// What a reviewer reads beside a verdict, and what repeats the request: header
// lines, an empty line and the beginning of the body, as taps record them
// (wires/http_span.h). Credentials and cookies are named and left out. Fields
// of multipart/form-data stand as "name=value" and "name=@filename", a line
// each.
std::string ShowRequest(const HttpRequest& request, bool sent_cookies);
std::string ShowAnswer(const assertions::HttpAnswer& answer);

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_HTTP_EVIDENCE_H_
