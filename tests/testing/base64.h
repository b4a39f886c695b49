#ifndef ASSAY_TESTS_TESTING_BASE64_H_
#define ASSAY_TESTS_TESTING_BASE64_H_

#include <string>

namespace assay::testing {

// Standard base64 with padding, as HTTP's basic authentication wants it.
inline std::string Base64(const std::string& plain) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < plain.size(); i += 3) {
    unsigned bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8 |
             (i + k < plain.size() ? static_cast<unsigned char>(plain[i + k])
                                   : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      out += i + k > plain.size() ? '=' : kDigits[bits >> (18 - 6 * k) & 63];
  }
  return out;
}

}  // namespace assay::testing

#endif  // ASSAY_TESTS_TESTING_BASE64_H_
