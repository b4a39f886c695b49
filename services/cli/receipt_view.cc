#include "services/cli/receipt_view.h"

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>

#include "assay/v1/submission_service.grpc.pb.h"
#include "services/cli/printable.h"

namespace assay::cli {

Expected<v1::Receipt> FetchReceipt(Server& server,
                                   const std::string& submission) {
  v1::GetReceiptRequest request;
  request.set_submission(submission);
  ASSAY_ASSIGN_OR_RETURN(
      auto response,
      server.Call(&v1::SubmissionService::Stub::GetReceipt, request));
  return std::move(*response.mutable_receipt());
}

void PrintReceipt(Console& console, const v1::Receipt& receipt) {
  const auto statement =
      nlohmann::json::parse(receipt.statement(), nullptr, false);
  std::vector<std::pair<std::string, std::string>> fields;
  if (statement.is_object()) {
    for (const auto& [key, value] : statement.items()) {
      std::string name = key;
      for (char& c : name) c = c == '_' ? ' ' : c;
      const std::string text =
          value.is_string() ? value.get<std::string>() : value.dump();
      fields.emplace_back(Printable(name), Printable(text));
    }
  }
  fields.emplace_back("signed by key", Printable(receipt.key_id()));
  console.Fields(fields);
}

Status WriteReceipt(const v1::Receipt& receipt, const std::string& file) {
  std::ofstream out(file, std::ios::trunc);
  out << ToJson(receipt, true) << '\n';
  out.close();
  if (!out) return SystemError("write " + file, errno);
  return {};
}

}  // namespace assay::cli
