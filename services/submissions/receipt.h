#ifndef ASSAY_SERVICES_SUBMISSIONS_RECEIPT_H_
#define ASSAY_SERVICES_SUBMISSIONS_RECEIPT_H_

#include <array>
#include <filesystem>
#include <string>
#include <string_view>

#include "assay/v1/submission.pb.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/storage/tables/submissions.h"

namespace assay::submissions {

// What a receipt says, as JSON: the same bytes for the same submission.
std::string StatementOf(const storage::SubmissionRecord& submission,
                        const AssignmentId& assignment);

// Whether `receipt` was signed with the secret half of `public_key` (32
// bytes), and its statement is as it was signed.
bool VerifyReceipt(const v1::Receipt& receipt, std::string_view public_key);

// Signs receipts with a key of this installation.
class ReceiptSigner {
 public:
  // Reads the key in `file` (mode 0600), or makes one.
  // kUnavailable: it cannot be read or written. kDataLoss: it is no key.
  static Expected<ReceiptSigner> Open(const std::filesystem::path& file);

  // The same with the key that all coordinators of a store have: `key`, as hex
  // digits, takes the place of what `file` holds.
  static Expected<ReceiptSigner> Replace(const std::filesystem::path& file,
                                         const std::string& key);

  v1::Receipt Sign(std::string statement) const;
  const std::string& public_key() const { return public_key_; }
  const std::string& key_id() const { return key_id_; }

 private:
  explicit ReceiptSigner(std::string_view seed);

  std::string secret_key_;
  std::string public_key_;
  std::string key_id_;
};

}  // namespace assay::submissions

#endif  // ASSAY_SERVICES_SUBMISSIONS_RECEIPT_H_
