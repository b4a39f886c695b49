#ifndef ASSAY_RUNNER_SUITE_EDITOR_SCHEMA_H_
#define ASSAY_RUNNER_SUITE_EDITOR_SCHEMA_H_

#include <nlohmann/json.hpp>
#include <string>

namespace assay::suite {

// The language as a JSON Schema (draft 7) for editors, from the same table as
// the validator. It accepts every suite that compiles; what takes more than one
// place to see is left to the compiler.
nlohmann::ordered_json EditorSchema();
// The same for rubric.yaml.
nlohmann::ordered_json RubricSchema();
// And for verify.yaml.
nlohmann::ordered_json VerificationSchema();

// The reference page in Markdown: docs/reference/suite.md.
std::string ReferencePage();

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_EDITOR_SCHEMA_H_
