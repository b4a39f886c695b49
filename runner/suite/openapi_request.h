#ifndef ASSAY_RUNNER_SUITE_OPENAPI_REQUEST_H_
#define ASSAY_RUNNER_SUITE_OPENAPI_REQUEST_H_

#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace assay::suite {

// An object's member; null where there is none or it is no object.
const nlohmann::json& Member(const nlohmann::json& object, const char* name);
std::string TextOf(const nlohmann::json& object, const char* name);

// The path below which all operations of a document lie: that of its first
// server, "" where that is the root.
std::string BasePathOf(const nlohmann::json& document);

// Whether an operation asks for credentials.
bool NeedsCredentials(const nlohmann::json& operation,
                      const nlohmann::json& document);

// One operation, called with everything that it requires, as the lines of an
// HTTP step up to what it expects.
struct OpenApiCall {
  std::string text;
  // Variables that stand for credentials: "token", "user", "password".
  std::set<std::string> variables;
};
OpenApiCall CallOf(const std::string& path, const std::string& method,
                   const nlohmann::json& item, const nlohmann::json& operation,
                   const nlohmann::json& document);

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_OPENAPI_REQUEST_H_
