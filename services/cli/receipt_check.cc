#include "services/cli/receipt_check.h"

#include <google/protobuf/util/json_util.h>
#include <sodium.h>

#include "proto/base/digest.h"

namespace assay::cli {
namespace {

constexpr std::size_t kKeyIdSize = 16;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string FromBase64(const std::string& text) {
  std::string bytes(text.size(), '\0');
  std::size_t size = 0;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()),
                        bytes.size(), text.data(), text.size(), nullptr, &size,
                        nullptr, sodium_base64_VARIANT_ORIGINAL) != 0)
    return "";
  bytes.resize(size);
  return bytes;
}

}  // namespace

Expected<v1::Receipt> ParseReceipt(const std::string& text) {
  v1::Receipt receipt;
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const auto parsed =
      google::protobuf::util::JsonStringToMessage(text, &receipt, options);
  if (!parsed.ok() || receipt.statement().empty() ||
      receipt.signature().empty())
    return InvalidArgument(
        "this is no receipt; expected JSON with statement, signature and "
        "keyId, as `assay receipt show --json` prints it");
  return receipt;
}

Expected<std::string> ParsePublicKey(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
    text.pop_back();
  std::string key = FromHex(text);
  if (key.size() != crypto_sign_PUBLICKEYBYTES) key = FromBase64(text);
  if (key.size() != crypto_sign_PUBLICKEYBYTES)
    return InvalidArgument(
        "this is no public key; expected 64 hex digits, as "
        "`assay receipt key` prints them");
  return key;
}

std::string KeyId(std::string_view public_key) {
  return Sha256Hex(public_key).substr(0, kKeyIdSize);
}

bool IsGenuine(const v1::Receipt& receipt, std::string_view public_key) {
  return sodium_init() >= 0 &&
         public_key.size() == crypto_sign_PUBLICKEYBYTES &&
         receipt.signature().size() == crypto_sign_BYTES &&
         crypto_sign_verify_detached(
             Bytes(receipt.signature()), Bytes(receipt.statement()),
             receipt.statement().size(), Bytes(public_key)) == 0;
}

}  // namespace assay::cli
