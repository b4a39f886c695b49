#ifndef ASSAY_SERVICES_CLI_RECEIPT_CHECK_H_
#define ASSAY_SERVICES_CLI_RECEIPT_CHECK_H_

#include <string>
#include <string_view>

#include "assay/v1/submission.pb.h"
#include "proto/base/error.h"

namespace assay::cli {

// Reads a receipt as `assay receipt show` writes it.
// kInvalidArgument: it is no receipt.
Expected<v1::Receipt> ParseReceipt(const std::string& text);

// Reads a public key: 64 hex digits, or base64 as --json prints it.
Expected<std::string> ParsePublicKey(std::string text);
// First 16 hex digits of the key's SHA-256.
std::string KeyId(std::string_view public_key);

// Whether the receipt was signed with the secret half of `public_key` and is
// as it was signed. Needs no server.
bool IsGenuine(const v1::Receipt& receipt, std::string_view public_key);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_RECEIPT_CHECK_H_
