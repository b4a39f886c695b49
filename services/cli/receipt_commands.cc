#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "assay/v1/submission_service.grpc.pb.h"
#include "proto/base/digest.h"
#include "services/cli/command_line.h"
#include "services/cli/printable.h"
#include "services/cli/receipt_check.h"
#include "services/cli/receipt_view.h"
#include "services/cli/resource_name.h"

namespace assay::cli {
namespace {

using Stub = v1::SubmissionService::Stub;

struct ShowOptions {
  std::string attempt = "me";
  int number = 0;
  std::string out;
};
struct KeyOptions {
  std::string attempt = "me";
};
struct VerifyOptions {
  std::string file;
  std::string key;
};

Expected<std::string> ReadInput(const std::string& file) {
  if (file == "-")
    return std::string{std::istreambuf_iterator<char>(std::cin), {}};
  std::ifstream in(file, std::ios::binary);
  if (!in) return InvalidArgument(file, " cannot be read");
  return std::string{std::istreambuf_iterator<char>(in), {}};
}

// The last submission's number, which is the one that counts.
Expected<std::string> LastSubmission(Server& server,
                                     const std::string& attempt) {
  v1::ListSubmissionsRequest request;
  request.set_attempt(attempt);
  ASSAY_ASSIGN_OR_RETURN(const auto response,
                         server.Call(&Stub::ListSubmissions, request));
  if (response.submissions().empty())
    return NotFound(ShortName(attempt), " has handed nothing in yet");
  return response.submissions().rbegin()->name();
}

Outcome Show(Context& context, const ShowOptions& options) {
  Server& server = context.ServerFor(options.attempt);
  const std::string attempt = FullName("attempts", options.attempt);
  std::string submission =
      attempt + "/submissions/" + std::to_string(options.number);
  if (options.number == 0) {
    ASSAY_ASSIGN_OR_RETURN(submission, LastSubmission(server, attempt));
  }
  ASSAY_ASSIGN_OR_RETURN(const v1::Receipt receipt,
                         FetchReceipt(server, submission));
  if (!options.out.empty()) {
    ASSAY_RETURN_IF_ERROR(WriteReceipt(receipt, options.out));
  }
  if (context.console().json())
    context.console().Json(receipt);
  else
    PrintReceipt(context.console(), receipt);
  return kSuccess;
}

Expected<std::string> FetchKey(Server& server) {
  ASSAY_ASSIGN_OR_RETURN(
      const auto response,
      server.Call(&Stub::GetReceiptKey, v1::GetReceiptKeyRequest()));
  return response.public_key();
}

Outcome Key(Context& context, const KeyOptions& options) {
  ASSAY_ASSIGN_OR_RETURN(const std::string key,
                         FetchKey(context.ServerFor(options.attempt)));
  if (context.console().json()) {
    v1::GetReceiptKeyResponse response;
    response.set_public_key(key);
    response.set_key_id(KeyId(key));
    context.console().Json(response);
  } else {
    context.console().Line(ToHex(key));
  }
  return kSuccess;
}

// --key is a key, or a file that holds one.
Expected<std::string> KeyFrom(Context& context, const std::string& given) {
  if (given.empty()) return FetchKey(context.ServerFor("me"));
  if (auto key = ParsePublicKey(given)) return key;
  ASSAY_ASSIGN_OR_RETURN(const std::string text, ReadInput(given));
  return ParsePublicKey(text);
}

Outcome Verify(Context& context, const VerifyOptions& options) {
  ASSAY_ASSIGN_OR_RETURN(const std::string text, ReadInput(options.file));
  ASSAY_ASSIGN_OR_RETURN(const v1::Receipt receipt, ParseReceipt(text));
  ASSAY_ASSIGN_OR_RETURN(const std::string key, KeyFrom(context, options.key));
  const bool genuine = IsGenuine(receipt, key);
  Console& console = context.console();
  if (console.json()) {
    console.JsonText(nlohmann::json({{"genuine", genuine},
                                     {"keyId", KeyId(key)},
                                     {"statement", receipt.statement()}})
                         .dump());
    return genuine ? kSuccess : kNegative;
  }
  if (genuine) {
    PrintReceipt(console, receipt);
    console.Line();
    console.Line(console.Paint(Color::kGreen, "genuine") + ": signed by key " +
                 KeyId(key));
    return kSuccess;
  }
  console.Line(console.Paint(Color::kRed, "not genuine") +
               (receipt.key_id() == KeyId(key)
                    ? ": it was changed after it was signed"
                    : ": it names key " + Printable(receipt.key_id()) +
                          ", and this is key " + KeyId(key)));
  return kNegative;
}

}  // namespace

void AddReceiptCommands(CommandLine& line) {
  CLI::App& group = line.Group(line.app(), "receipt",
                               "Signed statements of what was handed in");
  auto show = line.Add<ShowOptions>(
      group, "show", "The receipt of a submission",
      "  assay receipt show                        your last submission\n"
      "  assay receipt show att_7f3k --number 1 --out receipt.json",
      Show);
  show.app.add_option("attempt", show.options->attempt,
                      "Attempt; a candidate's own is \"me\"");
  show.app
      .add_option("--number", show.options->number,
                  "Which submission [the last one]")
      ->check(CLI::PositiveNumber);
  show.app.add_option("--out", show.options->out,
                      "Write it to this file, too, as JSON");
  auto key = line.Add<KeyOptions>(
      group, "key", "The public key that receipts are checked with",
      "  assay receipt key > assay.pub", Key);
  key.app.add_option("attempt", key.options->attempt,
                     "Whose server is asked; a candidate's own is \"me\"");
  auto verify = line.Add<VerifyOptions>(
      group, "verify",
      "Whether a receipt is genuine; with --key no server is needed",
      "  assay receipt verify receipt.json --key assay.pub\n"
      "  assay receipt show --json | assay receipt verify -",
      Verify);
  verify.app
      .add_option("file", verify.options->file, "The receipt; - reads stdin")
      ->required();
  verify.app.add_option("--key", verify.options->key,
                        "Public key in hex, or a file with it [the server's]");
}

}  // namespace assay::cli
