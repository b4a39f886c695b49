#ifndef ASSAY_SANDBOX_IMAGE_DESCRIPTOR_JSON_H_
#define ASSAY_SANDBOX_IMAGE_DESCRIPTOR_JSON_H_

#include <nlohmann/json.hpp>
#include <string_view>

#include "sandbox/image/layout.h"

namespace assay::sandbox {

// `text` as a JSON object; `name` is for messages.
Expected<nlohmann::json> ParseJsonObject(std::string_view name,
                                         const std::string& text);

// The member `key` of an object as text; empty if it is not there.
std::string TextAt(const nlohmann::json& object, const char* key);

// kInvalidArgument unless `value` has a well-formed digest and size.
Expected<Descriptor> ReadDescriptor(std::string_view name,
                                    const nlohmann::json& value);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_IMAGE_DESCRIPTOR_JSON_H_
