#include "services/nodes/bundle_seal.h"

#include <sodium.h>

#include <array>

namespace assay::nodes {
namespace {

using Key = std::array<unsigned char, crypto_secretbox_KEYBYTES>;

bool ReadKey(const std::string& text, Key& key) {
  std::size_t size = 0;
  return sodium_hex2bin(key.data(), key.size(), text.data(), text.size(),
                        nullptr, &size, nullptr) == 0 &&
         size == key.size();
}

unsigned char* Bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}
const unsigned char* Bytes(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string MakeBundleKey() {
  Key key;
  crypto_secretbox_keygen(key.data());
  std::string text(2 * key.size() + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), key.data(), key.size());
  text.pop_back();
  return text;
}

std::string SealBundle(const std::string& bundle, const std::string& text) {
  Key key{};
  ReadKey(text, key);
  std::string sealed(
      crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + bundle.size(),
      '\0');
  randombytes_buf(sealed.data(), crypto_secretbox_NONCEBYTES);
  crypto_secretbox_easy(Bytes(sealed) + crypto_secretbox_NONCEBYTES,
                        Bytes(bundle), bundle.size(), Bytes(sealed),
                        key.data());
  return sealed;
}

Expected<std::string> OpenBundle(const std::string& sealed,
                                 const std::string& text) {
  constexpr std::size_t kExtra =
      crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
  Key key{};
  std::string bundle(sealed.size() < kExtra ? 0 : sealed.size() - kExtra, '\0');
  if (sealed.size() < kExtra || !ReadKey(text, key) ||
      crypto_secretbox_open_easy(Bytes(bundle),
                                 Bytes(sealed) + crypto_secretbox_NONCEBYTES,
                                 sealed.size() - crypto_secretbox_NONCEBYTES,
                                 Bytes(sealed), key.data()) != 0)
    return DataLoss("the bundle of a repository does not open with its key");
  return bundle;
}

}  // namespace assay::nodes
