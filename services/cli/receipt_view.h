#ifndef ASSAY_SERVICES_CLI_RECEIPT_VIEW_H_
#define ASSAY_SERVICES_CLI_RECEIPT_VIEW_H_

#include <string>

#include "assay/v1/submission.pb.h"
#include "services/cli/console.h"
#include "services/cli/server.h"

namespace assay::cli {

// `submission` is "attempts/.../submissions/1".
Expected<v1::Receipt> FetchReceipt(Server& server,
                                   const std::string& submission);

// What the statement says, and who signed it.
void PrintReceipt(Console& console, const v1::Receipt& receipt);

// As JSON, for `assay receipt verify`.
Status WriteReceipt(const v1::Receipt& receipt, const std::string& file);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_RECEIPT_VIEW_H_
