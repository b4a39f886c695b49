#include "proto/base/id.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>
#include <vector>

namespace assay {

std::string RandomToken(std::size_t size) {
  static constexpr std::string_view kAlphabet =
      "0123456789abcdefghjkmnpqrstvwxyz";
  static_assert(kAlphabet.size() == 32);
  std::vector<unsigned char> bytes(size);
  std::size_t have = 0;
  while (have < size) {
    const ssize_t n = ::getrandom(bytes.data() + have, size - have, 0);
    // Without randomness no secret is safe; there is nothing to fall back to.
    if (n < 0 && errno != EINTR) std::abort();
    if (n > 0) have += static_cast<std::size_t>(n);
  }
  std::string token(size, '0');
  for (std::size_t i = 0; i < size; ++i) token[i] = kAlphabet[bytes[i] % 32];
  return token;
}

}  // namespace assay
