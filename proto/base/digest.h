#ifndef ASSAY_PROTO_BASE_DIGEST_H_
#define ASSAY_PROTO_BASE_DIGEST_H_

#include <string>
#include <string_view>

namespace assay {

// SHA-256 of `bytes` as 64 lower-case hex digits: the name of a blob, a plan,
// an environment, and what is stored instead of a token.
std::string Sha256Hex(std::string_view bytes);

// Lower-case hex of any bytes, and back. FromHex yields an empty string where
// `hex` is not an even number of hex digits.
std::string ToHex(std::string_view bytes);
std::string FromHex(std::string_view hex);

}  // namespace assay

#endif  // ASSAY_PROTO_BASE_DIGEST_H_
