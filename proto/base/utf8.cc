#include "proto/base/utf8.h"

#include <algorithm>

namespace assay {
namespace {

unsigned At(std::string_view text, std::size_t index) {
  return static_cast<unsigned char>(text[index]);
}

// The length of the sequence at the front of `text`, 0 if it is malformed.
std::size_t SequenceLength(std::string_view text) {
  const unsigned lead = At(text, 0);
  const std::size_t length = lead < 0x80                    ? 1
                             : lead >= 0xC2 && lead <= 0xDF ? 2
                             : lead >= 0xE0 && lead <= 0xEF ? 3
                             : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                            : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((At(text, i) & 0xC0) != 0x80) return 0;
  if (length < 3) return length;
  const unsigned second = At(text, 1);
  const bool overlong =
      (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool surrogate = lead == 0xED && second >= 0xA0;
  const bool too_high = lead == 0xF4 && second >= 0x90;
  return overlong || surrogate || too_high ? 0 : length;
}

}  // namespace

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = SequenceLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string PresentableLine(std::string_view text, std::size_t limit) {
  std::string line;
  while (!text.empty()) {
    const std::size_t length = SequenceLength(text);
    const bool control = At(text, 0) < 0x20 || At(text, 0) == 0x7F;
    const std::string_view piece =
        length == 0 || control ? "\xEF\xBF\xBD" : text.substr(0, length);
    if (line.size() + piece.size() > limit) break;
    line += piece;
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return line;
}

}  // namespace assay
