#include "services/submissions/receipt_service.h"

#include <charconv>
#include <string>
#include <string_view>
#include <utility>

#include "services/rpc/register_method.h"
#include "services/rpc/resource_name.h"

namespace assay::submissions {
namespace {

using storage::Transaction;

struct SubmissionName {
  AttemptId attempt;
  std::int32_t number = 0;
};

Expected<SubmissionName> ParseSubmissionName(const rpc::Caller& caller,
                                             std::string_view name) {
  constexpr std::string_view kMiddle = "/submissions/";
  const std::size_t middle = name.find(kMiddle);
  const std::string_view number = middle == std::string_view::npos
                                      ? ""
                                      : name.substr(middle + kMiddle.size());
  SubmissionName parsed;
  const auto [end, error] = std::from_chars(
      number.data(), number.data() + number.size(), parsed.number);
  if (number.empty() || error != std::errc() ||
      end != number.data() + number.size())
    return InvalidArgument(
        "expected a name like \"attempts/.../submissions/1\""
        ", found \"",
        name, "\"");
  const std::string_view attempt = name.substr(0, middle);
  const bool candidate = caller.role == v1::ROLE_CANDIDATE;
  if (candidate && attempt == "attempts/me") {
    parsed.attempt = caller.attempt;
    return parsed;
  }
  ASSAY_ASSIGN_OR_RETURN(parsed.attempt,
                         rpc::ParseName<AttemptId>("attempts", attempt));
  if (candidate && parsed.attempt != caller.attempt)
    return NotFound("there is no ", name);
  return parsed;
}

}  // namespace

ReceiptService::ReceiptService(storage::Store& store,
                               const ReceiptSigner& signer)
    : store_(store), signer_(signer) {}

void ReceiptService::Register(rpc::MethodRegistry& registry) {
  const std::string service = "assay.v1.SubmissionService/";
  rpc::Register(registry, service + "GetReceipt", this, &ReceiptService::Get);
  rpc::Register(registry, service + "GetReceiptKey", this,
                &ReceiptService::GetKey);
}

rpc::Async<v1::GetReceiptResponse> ReceiptService::Get(
    rpc::CallContext context, v1::GetReceiptRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const SubmissionName name,
      ParseSubmissionName(context.caller, request.submission()));
  ASSAY_CO_ASSIGN_OR_RETURN(
      std::string statement,
      co_await store_.Read([name](Transaction& tx) -> Expected<std::string> {
        ASSAY_ASSIGN_OR_RETURN(const storage::SubmissionRecord submission,
                               tx.submissions.Get(name.attempt, name.number));
        ASSAY_ASSIGN_OR_RETURN(const storage::AttemptRecord attempt,
                               tx.attempts.Get(name.attempt));
        return StatementOf(submission, attempt.assignment);
      }));
  v1::GetReceiptResponse response;
  *response.mutable_receipt() = signer_.Sign(std::move(statement));
  co_return response;
}

rpc::Async<v1::GetReceiptKeyResponse> ReceiptService::GetKey(
    rpc::CallContext context, v1::GetReceiptKeyRequest request) {
  v1::GetReceiptKeyResponse response;
  response.set_public_key(signer_.public_key());
  response.set_key_id(signer_.key_id());
  co_return response;
}

}  // namespace assay::submissions
