#ifndef ASSAY_SERVICES_SUBMISSIONS_RECEIPT_SERVICE_H_
#define ASSAY_SERVICES_SUBMISSIONS_RECEIPT_SERVICE_H_

#include "assay/v1/submission_service.pb.h"
#include "services/rpc/method_registry.h"
#include "services/storage/store.h"
#include "services/submissions/receipt.h"

namespace assay::submissions {

// The methods of assay.v1.SubmissionService that give receipts.
//
// Ownership: borrows store and signer.
// Threads: confined to the coordinator's strand.
class ReceiptService {
 public:
  ReceiptService(storage::Store& store, const ReceiptSigner& signer);
  void Register(rpc::MethodRegistry& registry);

 private:
  rpc::Async<v1::GetReceiptResponse> Get(rpc::CallContext context,
                                         v1::GetReceiptRequest request);
  rpc::Async<v1::GetReceiptKeyResponse> GetKey(
      rpc::CallContext context, v1::GetReceiptKeyRequest request);

  storage::Store& store_;
  const ReceiptSigner& signer_;
};

}  // namespace assay::submissions

#endif  // ASSAY_SERVICES_SUBMISSIONS_RECEIPT_SERVICE_H_
