#ifndef ASSAY_RUNNER_SUITE_OPENAPI_SCHEMA_H_
#define ASSAY_RUNNER_SUITE_OPENAPI_SCHEMA_H_

#include <nlohmann/json.hpp>
#include <string>

namespace assay::suite {

// A schema of OpenAPI 3.0 or 3.1 as JSON Schema draft 7: `nullable` and boolean
// bounds translated, annotations dropped. References to components lead into
// `components.json` beside the schema.
nlohmann::json ToDraft7(const nlohmann::json& schema);

// A value that such a schema probably accepts: its example, its default, or
// one made up from its type. `document` is where references lead.
nlohmann::json SampleOf(const nlohmann::json& schema,
                        const nlohmann::json& document, int depth = 0);

// Follows `#/...` references; null where they lead nowhere.
const nlohmann::json* Dereference(const nlohmann::json& node,
                                  const nlohmann::json& document);

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_OPENAPI_SCHEMA_H_
