#ifndef ASSAY_RUNNER_ASSERTIONS_SCHEMAS_H_
#define ASSAY_RUNNER_ASSERTIONS_SCHEMAS_H_

#include <map>
#include <string>
#include <string_view>

#include "assay/plan/v1/plan.pb.h"
#include "runner/suite/json_schema.h"

namespace assay::assertions {

// The schemas of a plan, each loaded when it is first asked for.
class Schemas {
 public:
  explicit Schemas(const plan::v1::Plan& plan);

  // The compiler has loaded every schema once, so that an error here is a bug.
  Expected<suite::JsonSchema> Get(std::string_view path);

 private:
  suite::JsonSchema::Files files_;
  std::map<std::string, suite::JsonSchema, std::less<>> loaded_;
};

}  // namespace assay::assertions

#endif  // ASSAY_RUNNER_ASSERTIONS_SCHEMAS_H_
