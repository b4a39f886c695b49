#ifndef ASSAY_RUNNER_SUITE_JSON_TEXT_H_
#define ASSAY_RUNNER_SUITE_JSON_TEXT_H_

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "proto/base/error.h"

namespace assay::suite {

// Nesting that everything which walks JSON by recursion can stand.
inline constexpr std::size_t kMaxJsonDepth = 256;

// Parses JSON that may be hostile: nesting is bounded before anything is built.
// INVALID_ARGUMENT says where the text stops being JSON.
Expected<nlohmann::json> ParseJson(std::string_view text);

// One line of JSON, at most `max` bytes, never throwing on bad UTF-8.
std::string JsonText(const nlohmann::json& value, std::size_t max = 120);

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_JSON_TEXT_H_
