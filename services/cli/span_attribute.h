#ifndef ASSAY_SERVICES_CLI_SPAN_ATTRIBUTE_H_
#define ASSAY_SERVICES_CLI_SPAN_ATTRIBUTE_H_

#include <string>
#include <string_view>

#include "assay/otlp/v1/trace.pb.h"

namespace assay::cli {

// The value of a span's attribute, a number in decimals; empty: it has none.
// As it was recorded: not yet printable.
inline std::string AttributeOf(const otlp::v1::Span& span,
                               std::string_view key) {
  for (const auto& attribute : span.attributes()) {
    if (attribute.key() != key) continue;
    if (attribute.value().has_int_value())
      return std::to_string(attribute.value().int_value());
    return attribute.value().string_value();
  }
  return "";
}

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_SPAN_ATTRIBUTE_H_
