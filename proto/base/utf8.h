#ifndef ASSAY_PROTO_BASE_UTF8_H_
#define ASSAY_PROTO_BASE_UTF8_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace assay {

// True when `text` is well-formed UTF-8: no overlong forms, no surrogates,
// nothing above U+10FFFF. Protobuf drops other strings without a word.
bool IsUtf8(std::string_view text);

// One line of untrusted text made safe for a message or a log: what is not
// UTF-8 and control characters become U+FFFD, and it is cut at `limit` bytes.
std::string PresentableLine(std::string_view text, std::size_t limit);

}  // namespace assay

#endif  // ASSAY_PROTO_BASE_UTF8_H_
