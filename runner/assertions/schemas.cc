#include "runner/assertions/schemas.h"

namespace assay::assertions {

Schemas::Schemas(const plan::v1::Plan& plan)
    : files_(plan.files().begin(), plan.files().end()) {}

Expected<suite::JsonSchema> Schemas::Get(std::string_view path) {
  const auto known = loaded_.find(path);
  if (known != loaded_.end()) return known->second;
  ASSAY_ASSIGN_OR_RETURN(suite::JsonSchema schema,
                         suite::JsonSchema::Load(files_, path));
  return loaded_.emplace(std::string(path), std::move(schema)).first->second;
}

}  // namespace assay::assertions
