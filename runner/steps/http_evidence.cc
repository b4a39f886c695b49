#include "runner/steps/http_evidence.h"

#include "runner/wires/http_exchange.h"
#include "runner/wires/http_span.h"

namespace assay::steps {

std::string ShowRequest(const HttpRequest& request, bool sent_cookies) {
  wires::HttpHeaders headers = request.headers;
  // What libcurl adds by itself.
  if (request.credentials) headers.emplace_back("authorization", "");
  if (sent_cookies) headers.emplace_back("cookie", "");
  wires::HttpExchange::Body body;
  if (request.body) body.Add(*request.body);
  if (!request.parts.empty()) {
    headers.emplace_back("content-type", "multipart/form-data");
    for (const HttpRequest::Part& part : request.parts) {
      body.Add(part.name);
      body.Add("=");
      body.Add(part.filename.empty() ? part.value : "@" + part.filename);
      body.Add("\n");
    }
  }
  return wires::ShowMessage(headers, body);
}

std::string ShowAnswer(const assertions::HttpAnswer& answer) {
  wires::HttpExchange::Body body;
  body.Add(answer.body);
  return wires::ShowMessage(answer.headers, body);
}

}  // namespace assay::steps
