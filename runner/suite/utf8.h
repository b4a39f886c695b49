#ifndef ASSAY_RUNNER_SUITE_UTF8_H_
#define ASSAY_RUNNER_SUITE_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace assay::suite {

// How many bytes at the start of `text` are well-formed UTF-8 (no surrogates,
// no overlong forms).
std::size_t ValidUtf8Prefix(std::string_view text);

// Of well-formed UTF-8; a stray byte counts as one.
std::size_t CodePoints(std::string_view text);

// The code point that starts at `position`, which is moved behind it. A stray
// byte is U+FFFD and one byte long.
char32_t NextCodePoint(std::string_view text, std::size_t& position);

void AppendUtf8(std::string& out, char32_t code_point);

// At most `max` bytes of `text`, cut between characters, with "..." where
// something was cut.
std::string Shorten(std::string_view text, std::size_t max);

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_UTF8_H_
