#include "runner/worker/secrets.h"

#include <string_view>

#include "proto/base/digest.h"

namespace assay::worker {
namespace {

// Three classes that every shell, URL and connection string takes as they are;
// look-alikes are left out.
constexpr std::string_view kClasses[] = {
    "abcdefghijkmnopqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789"};

std::string Password(const std::string& bytes) {
  std::string password;
  for (std::size_t i = 0; i < 20; ++i) {
    // The first three make sure that each class is there.
    const auto byte = static_cast<unsigned char>(bytes[i]);
    const std::string_view letters = kClasses[i < 3 ? i : byte % 3];
    password += letters[(byte / 3) % letters.size()];
  }
  return password;
}

std::string Uuid(std::string hex) {
  hex.resize(32);
  hex[12] = '4';
  hex[16] = "89ab"[hex[16] % 4];
  for (const std::size_t dash : {20, 16, 12, 8}) hex.insert(dash, "-");
  return hex;
}

}  // namespace

std::map<std::string, std::string> GenerateSecrets(const plan::v1::Plan& plan,
                                                   std::uint64_t seed) {
  std::map<std::string, std::string> secrets;
  for (const plan::v1::Secret& secret : plan.secrets()) {
    const std::string hex = Sha256Hex(
        "assay run secret\n" + std::to_string(seed) + "\n" + secret.name());
    std::string& value = secrets[secret.name()];
    switch (secret.generator()) {
      case plan::v1::Secret::GENERATOR_PASSWORD:
        value = Password(FromHex(hex));
        break;
      case plan::v1::Secret::GENERATOR_UUID:
        value = Uuid(hex);
        break;
      default:
        value = hex;
    }
  }
  return secrets;
}

}  // namespace assay::worker
