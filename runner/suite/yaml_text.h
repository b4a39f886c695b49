#ifndef ASSAY_RUNNER_SUITE_YAML_TEXT_H_
#define ASSAY_RUNNER_SUITE_YAML_TEXT_H_

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace assay::suite {

// A text as a YAML scalar of one line: plain where every YAML reader takes it
// for that text, else in double quotes.
std::string YamlScalar(std::string_view text);

// A JSON value in YAML's flow style, on one line.
std::string YamlFlow(const nlohmann::json& value);

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_YAML_TEXT_H_
