#ifndef ASSAY_RUNNER_ASSERTIONS_XML_TEXT_H_
#define ASSAY_RUNNER_ASSERTIONS_XML_TEXT_H_

#include <optional>
#include <string>
#include <string_view>

#include "proto/base/error.h"

namespace assay::assertions {

// What an XPath 1.0 expression yields over an XML document: the text of the
// first node, or the value of a function. Nothing: no node. Entities and DTDs
// are not read.
// INVALID_ARGUMENT: not XML, or not an XPath.
Expected<std::optional<std::string>> XmlText(std::string_view document,
                                             const std::string& xpath);

}  // namespace assay::assertions

#endif  // ASSAY_RUNNER_ASSERTIONS_XML_TEXT_H_
